"""Who may do what, as PostgreSQL itself records it, and as the rules of the layout allow it.

``found`` lists every owner, grant, default privilege and membership of a database; each is one
line of text. ``allowed`` says by rule what may be there. Whatever is in one but not in the
other is a mistake in one of them.
"""

from __future__ import annotations

import re

import asyncpg

OWNER = "atrium_owner"
WITHHELD = {
    "audit_entries": {"UPDATE", "DELETE"},
    "tenant_keys": {"DELETE"},
    "car_hire_agreements": {"UPDATE", "DELETE"},
    "car_hire_agreement_files": {"UPDATE", "DELETE"},
    "car_hire_papers": {"UPDATE", "DELETE"},
    "car_hire_paper_files": {"UPDATE", "DELETE"},
}
"""What a tenant may not do even to tables of its own: what is noted stays, and keys stay."""

# Grants of an owner to itself say nothing; what belongs to an extension is the extension's.
_OBJECTS = """
WITH ours AS (
  SELECT oid, nspname FROM pg_namespace
  WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp)'
), objects AS (
  SELECT 'schema' AS kind, nspname AS place, nspname::text AS name, nspowner AS owner,
         coalesce(nspacl, acldefault('n', nspowner)) AS acl
    FROM pg_namespace WHERE oid IN (SELECT oid FROM ours)
  UNION ALL
  SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, o.nspname, relname::text, relowner,
         coalesce(relacl, acldefault(
           CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, relowner))
    FROM pg_class c JOIN ours o ON o.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  UNION ALL
  SELECT 'column', o.nspname, relname || '.' || attname, relowner, attacl
    FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN ours o ON o.oid = relnamespace
    WHERE attacl IS NOT NULL
  UNION ALL
  SELECT 'function', o.nspname, proname::text, proowner, coalesce(proacl, acldefault('f', proowner))
    FROM pg_proc p JOIN ours o ON o.oid = pronamespace
    WHERE NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
  UNION ALL
  SELECT 'type', o.nspname, typname::text, typowner, coalesce(typacl, acldefault('T', typowner))
    FROM pg_type t JOIN ours o ON o.oid = typnamespace
    WHERE typtype IN ('e', 'd', 'r')
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = t.oid AND deptype = 'e')
  UNION ALL
  SELECT 'database', 'database', 'database', datdba, coalesce(datacl, acldefault('d', datdba))
    FROM pg_database WHERE datname = current_database()
  UNION ALL
  SELECT 'default for ' || defaclobjtype::text, coalesce(o.nspname, 'everywhere'), 'new',
         defaclrole, defaclacl
    FROM pg_default_acl d LEFT JOIN ours o ON o.oid = defaclnamespace
)
SELECT kind, place, name, owner::regrole::text AS owner,
       coalesce(a.grantee::regrole::text, '-') AS grantee, privilege_type, is_grantable
FROM objects LEFT JOIN LATERAL (
  SELECT * FROM aclexplode(acl) WHERE grantee <> owner OR kind LIKE 'default%'
) a ON true
"""

_MEMBERS = """
SELECT roleid::regrole::text AS role, member::regrole::text AS member, admin_option
FROM pg_auth_members WHERE roleid::regrole::text !~ '^pg_' AND member::regrole::text !~ '^pg_'
"""

_ROLES = """
SELECT rolname, concat_ws(' ',
  CASE WHEN rolsuper THEN 'SUPERUSER' END, CASE WHEN rolbypassrls THEN 'BYPASSRLS' END,
  CASE WHEN rolcreatedb THEN 'CREATEDB' END, CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
  CASE WHEN rolreplication THEN 'REPLICATION' END, CASE WHEN rolcanlogin THEN 'LOGIN' END,
  CASE WHEN rolinherit THEN 'INHERIT' END) AS may
FROM pg_roles WHERE rolname = ANY ($1)
"""


async def found(connection: asyncpg.Connection) -> set[str]:
    """Every owner and grant of a database, one sentence each."""
    said = set()
    for row in await connection.fetch(_OBJECTS):
        where = f"{row['kind']} {row['place']}.{row['name']}"
        said.add(f"{where} belongs to {row['owner']}")
        if row["privilege_type"] is not None:
            grantee = "PUBLIC" if row["grantee"] == "-" else row["grantee"]
            further = " and may pass it on" if row["is_grantable"] else ""
            said.add(f"{where}: {grantee} may {row['privilege_type']}{further}")
    return said


async def memberships(connection: asyncpg.Connection) -> set[tuple[str, str, bool]]:
    """Which role has which members; True for those who may add more."""
    rows = await connection.fetch(_MEMBERS)
    return {(row["role"], row["member"], row["admin_option"]) for row in rows}


async def attributes(connection: asyncpg.Connection, roles: set[str]) -> dict[str, str]:
    """What each role may do by itself, in PostgreSQL's words."""
    rows = await connection.fetch(_ROLES, list(roles))
    return {row["rolname"]: row["may"] for row in rows}


def allowed(superuser: str, logins: set[str], scopes: set[str], seen: set[str]) -> set[str]:
    """What a database may hold: ``logins`` may connect, ``scopes`` live in it.

    Which tables there are is taken from what was ``seen``, but only in places for tables.
    """
    said = {
        f"database database.database belongs to {superuser}",
        "database database.database: atrium_provisioner may CONNECT and may pass it on",
        f"database database.database: {OWNER} may CREATE",
        *(f"database database.database: {login} may CONNECT" for login in logins),
        "schema public.public belongs to pg_database_owner",
        *_schema("extensions", {"atrium_tenants"}),
        *_schema("outbox", {"atrium_tenants", "atrium_relay"}),
        *_schema("migrations", set()),
        *_outbox(),
    }
    for name in scopes:
        said |= _schema(name, {name})
        said |= _defaults(name)
    for kind, schema, table in filter(None, map(_table, seen)):
        if schema in scopes | {"outbox", "migrations"}:
            said.add(f"{kind} {schema}.{table} belongs to {OWNER}")
        if schema in scopes:
            rights = set(_ON[kind]) - WITHHELD.get(table, set())
            said |= {f"{kind} {schema}.{table}: {schema} may {right}" for right in rights}
    return said


def _table(sentence: str) -> tuple[str, str, str] | None:
    match = re.match(r"(table|sequence) (\w+)\.(\w+) belongs to", sentence)
    return (match[1], match[2], match[3]) if match else None


_ON = {
    "table": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "sequence": ("SELECT", "USAGE"),
}


def _schema(name: str, users: set[str]) -> set[str]:
    where = f"schema {name}.{name}"
    return {f"{where} belongs to {OWNER}", *(f"{where}: {user} may USAGE" for user in users)}


def _defaults(scope: str) -> set[str]:
    said = set()
    for letter, kind in (("r", "table"), ("S", "sequence")):
        where = f"default for {letter} {scope}.new"
        said.add(f"{where} belongs to {OWNER}")
        said |= {f"{where}: {scope} may {right}" for right in _ON[kind]}
    return said


def _outbox() -> set[str]:
    said = set()
    for function in ("caller", "put", "take", "renew", "make_room", "finish", "fail"):
        said.add(f"function outbox.{function} belongs to {OWNER}")
    for function in ("put", "take", "renew", "finish", "fail"):
        said.add(f"function outbox.{function}: atrium_tenants may EXECUTE")
    read = "id tenant actor trace state put_at due_at send_at sent_at sends attempt leased_until"
    for column in f"{read} finished_at error".split():
        said.add(f"column outbox.messages.{column}: atrium_relay may SELECT")
    changed = "state due_at send_at sent_at sends attempt leased_until finished_at args"
    for column in changed.split():
        said.add(f"column outbox.messages.{column}: atrium_relay may UPDATE")
    for column in {*read.split(), *changed.split(), "finished_at", "error"}:
        said.add(f"column outbox.messages.{column} belongs to {OWNER}")
    said.add("table outbox.messages: atrium_relay may DELETE")
    return said
