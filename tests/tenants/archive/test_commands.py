"""`atrium tenants export`, `import`, `close` and `delete`, as an operator runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from atrium.testing.servers import Postgres
from tenants.archive.reading import Archive
from tests.tenants.installation import installation


@pytest.mark.long
async def test_out_and_in_again_by_commands(
    postgres: Postgres, redis_url: str, tmp_path: Path
) -> None:
    """The demo's data, exported and imported, gives the same checksums; damage is named."""
    secret = {"ATRIUM_ARCHIVE_PASSPHRASE": "correct horse battery"}
    first, second = str(tmp_path / "1.zip"), str(tmp_path / "2.zip")
    async with installation(postgres, redis_url) as made:
        for command in ("bootstrap", "migrate", "seed"):
            assert (await made.run(command)).code == 0
        for arguments in (
            ("export", "acme", first),
            ("import", first, "acme-again", "--owner", "ana@acme.example"),
            ("export", "acme-again", second, "--like", first),
        ):
            ended = await made.run("tenants", *arguments, **secret)
            assert ended.code == 0, ended.said
        with Archive.open(Path(first)) as one, Archive.open(Path(second)) as other:
            assert one.checksums == other.checksums
        wrong = await made.run(
            "tenants", "import", first, "third", "--owner", "a@b.example",
            ATRIUM_ARCHIVE_PASSPHRASE="another passphrase",
        )  # fmt: skip
        assert wrong.code != 0
        assert "passphrase: This passphrase does not open the archive" in wrong.said
        refused = await made.run("tenants", "delete", "acme-again", "--confirm", "acme-again")
        assert refused.code != 0, "it is not closed"
        for ending in (
            ("close", "acme-again", "--yes"),
            ("delete", "acme-again", "--confirm", "acme-again"),
        ):
            ended = await made.run("tenants", *ending)
            assert ended.code == 0, ended.said
        status = "SELECT status FROM platform.tenants WHERE slug = 'acme-again'"
        assert [row["status"] for row in await made.ask(status)] == ["deleting"]
