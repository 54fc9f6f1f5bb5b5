"""Commands of operators that change what tenants may have, see and agree to."""

from __future__ import annotations

from pathlib import Path

from atrium.testing.servers import Postgres
from tests.tenants.installation import Installation, installation

KEY, VEHICLES = "car_hire.pay_at_desk", "car_hire.vehicles"


async def test_operators_grant_switch_and_publish(
    postgres: Postgres, redis_url: str, tmp_path: Path
) -> None:
    """Limits, features and terms by command, each as the console does it."""
    async with installation(postgres, redis_url) as made:
        for command in ("bootstrap", "migrate"):
            assert (await made.run(command)).code == 0
        ordered = await made.run(
            *("tenants", "create", "cars", "--name", "Cars", "--plugin", "car_hire"),
            *("--owner", "ana@example.com", "--owner-name", "Ana"),
        )
        assert ordered.code == 0, ordered.said
        await _limits(made)
        await _flags(made)
        await _terms(made, tmp_path)
        acts = await made.ask("SELECT action FROM platform.audit_entries ORDER BY id")
        assert [row["action"] for row in acts][1:] == [
            "operator.limit_granted",
            "operator.limit_withdrawn",
            "operator.flag_set",
            "operator.flag_cleared",
            "operator.flag_rolled_out",
            "operator.flag_roll_out_ended",
            "core.terms_published",
        ]


async def _limits(made: Installation) -> None:
    granted = await made.run(
        *("tenants", "limit", "cars", VEHICLES, "--allowed", "7"),
        *("--reason", "A trial", "--until", "2190-01-31"),
    )
    assert granted.code == 0, granted.said
    assert _line(await _said(made, "tenants", "limits", "cars"), VEHICLES)[1:] == [
        *("7", "A", "trial,", "until", "2190-01-31", "00:00:00+00:00"),
    ]
    assert (await made.run("tenants", "limit", "cars", VEHICLES, "--withdraw")).code == 0
    listed = await _said(made, "tenants", "limits", "cars")
    assert _line(listed, VEHICLES)[1:] == ["1000", "declared"]
    unknown = await made.run("tenants", "limit", "cars", "cars.wheels", "--allowed", "1")
    assert unknown.code != 0
    assert (
        f"there is no limit cars.wheels; there are core.people, core.webhook_endpoints, {VEHICLES}"
        in unknown.said
    )


async def _flags(made: Installation) -> None:
    nobody = await made.run("flags", "set", KEY, "nobody", "on", "--reason", "x")
    assert "there is no tenant nobody" in nobody.said
    assert (await made.run("flags", "set", "car_hire.x", "cars", "on", "--reason", "x")).code != 0
    assert (await made.run("flags", "set", KEY, "cars", "on", "--reason", "Asked")).code == 0
    assert _line(await _said(made, "flags", "list"), KEY)[1:4] == ["off", "-", "1"]
    assert (await made.run("flags", "clear", KEY, "cars")).code == 0
    assert (await made.run("flags", "roll-out", KEY)).code != 0
    assert (await made.run("flags", "roll-out", KEY, "100")).code == 0
    assert _line(await _said(made, "flags", "list"), KEY)[1:5] == ["off", "100", "%", "0"]
    # Its run was not worked off, so it does not have the product yet.
    listed = await _said(made, "flags", "list", "--tenant", "cars")
    assert _line(listed, KEY)[1:] == ["off", "product_off"]
    assert (await made.run("flags", "roll-out", KEY, "--end")).code == 0


async def _terms(made: Installation, folder: Path) -> None:
    for language, text in (("en", "# Terms\n\nBe kind."), ("pt", "# Termos\n\nSeja gentil.")):
        (folder / f"{language}.md").write_text(text)
    texts = ("--en", str(folder / "en.md"), "--pt", str(folder / "pt.md"))
    published = await made.run("terms", "publish", "terms", *texts)
    assert published.code == 0, published.said
    assert "terms 1 is published" in published.said
    assert _line(await _said(made, "terms", "list"), "terms")[1] == "1"
    assert "Be kind." in await _said(made, "terms", "show", "terms", "1")
    assert "Seja gentil." in await _said(made, "terms", "show", "terms", "1", "--language", "pt")
    assert (await made.run("terms", "show", "terms", "2")).code != 0


async def _said(made: Installation, *command: str) -> str:
    ended = await made.run(*command)
    assert ended.code == 0, ended.said
    return ended.said


def _line(said: str, begins: str) -> list[str]:
    """The words of the line that begins so."""
    [found] = [line.split() for line in said.splitlines() if line.startswith(begins)]
    return found
