"""``atrium plugins new`` makes a plugin whose tests pass; bad names are refused with a reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from atrium.cli import main
from atrium.scaffold.making import objections
from atrium.testing.distributions import install, run


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Guest-Book", "lower_snake_case"),
        ("1st", "lower_snake_case"),
        ("a" * 41, "up to 40 characters"),
        ("account", "taken by Atrium itself"),
        ("platform", "taken by Atrium itself"),
        ("car_hire", "is installed already"),
        ("class", "Python knows"),
        ("json", "Python knows"),
        ("sqlalchemy", "Python knows"),
    ],
)
def test_a_bad_name_is_refused(name: str, why: str) -> None:
    assert [each for each in objections(name) if why in each]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    made = CliRunner().invoke(main, ["plugins", "new", "wish_list", "--into", str(tmp_path)])
    assert made.exit_code == 0, made.output
    (tmp_path / "wish-list/README.md").write_text("mine")
    again = CliRunner().invoke(main, ["plugins", "new", "wish_list", "--into", str(tmp_path)])
    assert again.exit_code == 1
    assert (tmp_path / "wish-list/README.md").read_text() == "mine"


def test_what_is_made_names_the_sample_nowhere(tmp_path: Path) -> None:
    CliRunner().invoke(main, ["plugins", "new", "wish_list", "--into", str(tmp_path)])
    files = [each for each in (tmp_path / "wish-list").rglob("*") if each.is_file()]
    assert len(files) > 15
    for each in files:
        assert not re.search(r"sample.?plugin|tmpl", f"{each.name}\n{each.read_text()}", re.I), each


@pytest.mark.long
def test_what_is_made_passes_its_own_tests_and_the_conformance_checks(tmp_path: Path) -> None:
    """Built as a wheel, in processes that find it by its entry point; pages are for the bench."""
    CliRunner().invoke(main, ["plugins", "new", "wish_list", "--into", str(tmp_path)])
    source, target = tmp_path / "wish-list", tmp_path / "installed"
    install(target, source)
    ended = run(target, "-m", "pytest", "-q", "-m", "not browser", folder=source)
    assert ended.code == 0, ended.said[-5000:]
    passed = re.search(r"(\d+) passed", ended.said)
    assert passed is not None
    assert int(passed[1]) >= 50
