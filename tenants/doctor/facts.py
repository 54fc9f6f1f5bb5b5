"""What PostgreSQL's catalogs say of schemas, one row per fact, the same for scopes that are alike.

Every name of a scope (its schema and its role bear the same) is written as ``@``, so that facts
of different scopes can be compared as sets, in the database: with a thousand tenants there are a
million of them, and only those that differ leave it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

import asyncpg

from tenants.bootstrap import PROVISIONER

_SETS: Final = frozenset({"grant", "default", "membership"})
"""Kinds of which a subject has several, each for itself."""

_FACTS: Final = """
WITH s AS (
  SELECT oid, nspname::text AS scope, nspowner, nspacl FROM pg_namespace WHERE nspname = ANY ($1)
), c AS (
  SELECT c.oid, c.relname::text AS name, c.relkind, c.relowner, c.relacl, c.relrowsecurity, s.scope
  FROM pg_class c JOIN s ON s.oid = c.relnamespace
), t AS (
  SELECT * FROM c WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
), acl AS (
  SELECT scope, 'schema' AS kind, '' AS name, nspacl AS acl, nspowner AS owner FROM s
  UNION ALL
  SELECT scope, CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, name, relacl, relowner
  FROM t
), facts AS MATERIALIZED (
SELECT scope, 'table' AS kind, name AS subject, relkind::text || CASE WHEN relrowsecurity
       THEN ' with row security' ELSE '' END AS said FROM t
UNION ALL
SELECT scope, 'owner', name, replace(relowner::regrole::text, scope, '@') FROM t
UNION ALL
SELECT scope, 'owner', '', replace(nspowner::regrole::text, scope, '@') FROM s
UNION ALL
SELECT t.scope, 'column', t.name || '.' || a.attname,
       concat_ws(' ', replace(format_type(a.atttypid, a.atttypmod), t.scope || '.', ''),
                 CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                 nullif('GENERATED ' || a.attgenerated::text, 'GENERATED '),
                 nullif('IDENTITY ' || a.attidentity::text, 'IDENTITY '),
                 'DEFAULT ' || replace(pg_get_expr(d.adbin, d.adrelid), t.scope || '.', ''))
  FROM t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
  WHERE t.relkind <> 'S'
UNION ALL
SELECT t.scope, CASE WHEN i.indisunique OR EXISTS (
         SELECT FROM pg_constraint x
         WHERE x.conrelid = i.indrelid AND x.conindid = i.indexrelid)
         THEN 'unique index' ELSE 'index' END,
       c.name, concat_ws(' ', replace(pg_get_indexdef(i.indexrelid), t.scope || '.', ''),
                         CASE WHEN NOT i.indisvalid THEN 'INVALID' END)
  FROM pg_index i JOIN t ON t.oid = i.indrelid JOIN c ON c.oid = i.indexrelid
UNION ALL
SELECT t.scope, 'constraint', t.name || '.' || k.conname,
       concat_ws(' ', replace(pg_get_constraintdef(k.oid), t.scope || '.', ''))
  FROM pg_constraint k JOIN t ON t.oid = k.conrelid WHERE k.contype <> 'n'
UNION ALL
SELECT t.scope, 'trigger', t.name || '.' || g.tgname,
       replace(pg_get_triggerdef(g.oid), t.scope || '.', '')
  FROM pg_trigger g JOIN t ON t.oid = g.tgrelid WHERE NOT g.tgisinternal
UNION ALL
SELECT s.scope, 'function', p.proname::text, md5(pg_get_functiondef(p.oid))
  FROM pg_proc p JOIN s ON s.oid = p.pronamespace WHERE p.prokind IN ('f', 'p')
UNION ALL
SELECT acl.scope, 'grant', acl.kind || ' ' || acl.name,
       concat_ws(' ', coalesce(replace(nullif(a.grantee, 0)::regrole::text, acl.scope, '@'),
                               'PUBLIC'),
                 a.privilege_type, CASE WHEN a.is_grantable THEN 'GRANTABLE' END)
  FROM acl, aclexplode(acl.acl) a WHERE a.grantee <> acl.owner
UNION ALL
SELECT t.scope, 'grant', 'column ' || t.name || '.' || x.attname,
       concat_ws(' ', coalesce(replace(nullif(a.grantee, 0)::regrole::text, t.scope, '@'),
                               'PUBLIC'), a.privilege_type)
  FROM t JOIN pg_attribute x ON x.attrelid = t.oid, aclexplode(x.attacl) a
UNION ALL
SELECT s.scope, 'default', d.defaclobjtype::text,
       concat_ws(' ', d.defaclrole::regrole::text,
                 coalesce(replace(nullif(a.grantee, 0)::regrole::text, s.scope, '@'), 'PUBLIC'),
                 a.privilege_type)
  FROM pg_default_acl d JOIN s ON s.oid = d.defaclnamespace, aclexplode(d.defaclacl) a
UNION ALL
SELECT s.scope, 'role', '', concat_ws(' ', CASE WHEN r.rolsuper THEN 'SUPERUSER' END,
       CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END, CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
       CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
       CASE WHEN r.rolreplication THEN 'REPLICATION' END,
       CASE WHEN r.rolcanlogin THEN 'LOGIN' END, CASE WHEN r.rolinherit THEN 'INHERIT' END)
  FROM s JOIN pg_roles r ON r.rolname = s.scope
UNION ALL
SELECT s.scope, 'membership', m.roleid::regrole::text, 'its role is a member'
  FROM s JOIN pg_roles r ON r.rolname = s.scope JOIN pg_auth_members m ON m.member = r.oid
UNION ALL
SELECT s.scope, 'membership', 'its role', m.member::regrole::text || ' is a member'
  FROM s JOIN pg_roles r ON r.rolname = s.scope JOIN pg_auth_members m ON m.roleid = r.oid
  WHERE m.member::regrole::text <> $4
), expected AS (
  SELECT pair.scope, kind, subject, said
  FROM unnest($2::text[], $3::text[]) AS pair (scope, model) JOIN facts ON facts.scope = pair.model
), found AS (
  SELECT * FROM facts WHERE scope = ANY ($2)
)
SELECT *, 'expected' AS which FROM (TABLE expected EXCEPT TABLE found) AS missing
UNION ALL
SELECT *, 'found' FROM (TABLE found EXCEPT TABLE expected) AS surplus
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact of a scope that differs: ``expected`` is None where nothing should be, ``found``
    where nothing is. In both, ``@`` stands for the scope."""

    scope: str
    kind: str
    subject: str
    expected: str | None
    found: str | None


async def differences(
    connection: asyncpg.Connection, models: Mapping[str, str]
) -> list[Difference]:
    """How each scope differs from its model: ``models`` says which scope that is."""
    scopes = list(models)
    rows = await connection.fetch(
        _FACTS,
        [*scopes, *set(models.values())],
        scopes,
        [models[each] for each in scopes],
        PROVISIONER,
    )
    said: dict[tuple[str, str, str], dict[str, set[str]]] = {}
    for row in rows:
        key = (row["scope"], row["kind"], row["subject"])
        said.setdefault(key, {}).setdefault(row["which"], set()).add(row["said"] or "")
    return [each for key in sorted(said) for each in _paired(key, said[key])]


def _paired(key: tuple[str, str, str], said: Mapping[str, set[str]]) -> Iterator[Difference]:
    """One thing that is otherwise than it should be is one difference, not two."""
    expected, found = sorted(said.get("expected", ())), sorted(said.get("found", ()))
    if key[1] in _SETS:
        yield from (Difference(*key, each, None) for each in expected)
        yield from (Difference(*key, None, each) for each in found)
    else:
        for one, other in zip_longest(expected, found):
            yield Difference(*key, one, other)
