"""`atrium bootstrap`, `migrate` and `seed`, as `make up` runs them."""

from __future__ import annotations

from atrium.testing.servers import Postgres
from tests.tenants.installation import installation

_TENANTS = """
SELECT slug, status, hosting, zone, currency, database FROM platform.tenants ORDER BY slug
"""


async def test_the_commands_make_an_installation_and_look_after_it(
    postgres: Postgres, redis_url: str
) -> None:
    """Bootstrap, migrate and seed give the demo's tenants, once, and one is suspended."""
    async with installation(postgres, redis_url) as made:
        for command in ("bootstrap", "migrate", "seed", "seed"):
            ended = await made.run(command)
            assert ended.code == 0, ended.said
        assert [tuple(row) for row in await made.ask(_TENANTS)] == [
            ("acme", "active", "pooled", "Europe/Lisbon", "EUR", None),
            ("harbour", "active", "dedicated", "Australia/Sydney", "AUD", "harbour"),
        ]
        welcome = (made.settings.state_dir / "welcome").read_text()
        assert "http://acme.localhost" in welcome
        assert "ana@acme.example" in welcome
        memberships = await made.ask("SELECT count(*) AS n FROM platform.memberships")
        assert memberships[0]["n"] == 2
        schemas = "SELECT count(*) AS n FROM pg_namespace WHERE nspname LIKE 't\\_%'"
        assert (await made.ask(schemas, database=made.second))[0]["n"] == 1
        assert (await made.run("tenants", "suspend", "acme")).code == 0
        assert (await made.ask(_TENANTS))[0]["status"] == "suspended"
        unknown = await made.run("tenants", "suspend", "nobody")
        assert unknown.code != 0
        assert "there is no tenant nobody" in unknown.said


async def test_operators_use_the_command_line(postgres: Postgres, redis_url: str) -> None:
    """Whatever the console does: people, tokens, tenants found, ordered and written about."""
    async with installation(postgres, redis_url) as made:
        for command in ("bootstrap", "migrate"):
            assert (await made.run(command)).code == 0
        added = await made.run("operators", "add", "nina@example.com", "--name", "Nina")
        assert "/invitation?token=" in added.said
        assert "nina@example.com" in (await made.run("operators", "list")).said
        token = await made.run("operators", "token", "terraform", "--write")
        assert "atop_" in token.said
        assert "write" in (await made.run("operators", "tokens")).said
        ordered = await made.run(
            *("tenants", "create", "cars-of-ana", "--name", "Cars of Ana", "--plugin", "car_hire"),
            *("--owner", "ana@example.com", "--owner-name", "Ana"),
        )
        assert ordered.code == 0, ordered.said
        assert "cars-of-ana" in (await made.run("tenants", "find", "ana@example")).said
        assert (await made.run("tenants", "note", "cars-of-ana", "Pays on Friday")).code == 0
        shown = await made.run("tenants", "show", "cars-of-ana")
        assert '"status": "provisioning"' in shown.said
        assert (await made.run("operators", "remove", "nina@example.com")).code == 0
        assert "nina@example.com" not in (await made.run("operators", "list")).said
        acts = await made.ask("SELECT action FROM platform.audit_entries ORDER BY id")
        assert [row["action"] for row in acts] == [
            "operator.granted",
            "operator.token_made",
            "operator.tenant_ordered",
            "operator.note_added",
            "operator.withdrawn",
        ]
