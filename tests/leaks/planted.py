"""Forty ways in which one tenant could reach another, or a stranger a tenant: each is one small
slip in the source, and names the test that has to notice it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Leak:
    """``before`` occurs once in ``file`` and becomes ``after``; ``proof`` is a test or a file of
    tests (with ``-k`` words after a blank) that fails then."""

    name: str
    file: str
    before: str
    after: str
    proof: str


LEAKS: Final = (
    # The scope of a transaction
    Leak(
        "a role that outlives its transaction",
        "core/connections.py",
        "set_config('role', '{name}', true)",
        "set_config('role', '{name}', false)",
        "tests/tenants/test_isolation.py carries_no_scope",
    ),
    Leak(
        "a search path that outlives its transaction",
        "core/connections.py",
        "set_config('search_path', '{name}, {EXTENSIONS_SCHEMA}', true)",
        "set_config('search_path', '{name}, {EXTENSIONS_SCHEMA}', false)",
        "tests/tenants/test_isolation.py carries_no_scope",
    ),
    Leak(
        "a transaction that keeps the login's own role",
        "core/connections.py",
        "set_config('role', '{name}', true)",
        "set_config('atrium.role', '{name}', true)",
        "tests/tenants/test_isolation.py own_schema_as_its_own_role",
    ),
    Leak(
        "a session that forgets to hand over its scope",
        "core/db.py",
        "    driver.scope = tenant.scope\n",
        "    pass\n",
        "tests/tenants/test_isolation.py own_schema_as_its_own_role",
    ),
    Leak(
        "a hot read that leaves its scope on the connection",
        "core/db.py",
        "            finally:\n                connection.scope = None\n",
        "            finally:\n                pass\n",
        "tests/core/test_reads.py carries_no_scope",
    ),
    Leak(
        "a scope that may be named as one pleases",
        "core/scope.py",
        "_NAME.fullmatch(self.name)",
        "_NAME.match(self.name)",
        "tests/tenants/test_isolation.py strict_name",
    ),
    # Roles and grants
    Leak(
        "tables that everybody may read",
        "tenants/scopes.py",
        "{granted} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {scope};",
        "{granted} SELECT, INSERT, UPDATE, DELETE ON TABLES TO PUBLIC;",
        "tests/tenants/test_grants.py owner_and_grant",
    ),
    Leak(
        "a tenant that may empty and alter its tables",
        "tenants/scopes.py",
        "{granted} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {scope};",
        "{granted} ALL ON TABLES TO {scope};",
        "tests/tenants/test_grants.py owner_and_grant",
    ),
    Leak(
        "an application that has every tenant's powers at once",
        "tenants/bootstrap.py",
        "ALTER ROLE {APP} LOGIN NOINHERIT;",
        "ALTER ROLE {APP} LOGIN INHERIT;",
        "tests/tenants/test_grants.py powers",
    ),
    Leak(
        "a dedicated tenant's login that the application may become",
        "tenants/scopes.py",
        "GRANT {TENANTS} TO {scope}; GRANT {scope} TO {member}",
        "GRANT {TENANTS} TO {scope}; GRANT {scope} TO {member}; GRANT {scope} TO {APP}",
        "tests/tenants/test_grants.py membership",
    ),
    # The outbox
    Leak(
        "a message in another's name",
        "core/outbox.sql",
        "  sender uuid := outbox.caller();",
        "  sender uuid := '00000000-0000-0000-0000-000000000000';",
        "tests/core/test_outbox_sql.py bears_the_tenant",
    ),
    Leak(
        "another tenant's message can be taken",
        "core/outbox.sql",
        "    WHERE m.id = p_id AND m.tenant = taker AND m.state = 'pending' AND m.due_at <= moment",
        "    WHERE m.id = p_id AND m.state = 'pending' AND m.due_at <= moment",
        "tests/core/test_outbox_sql.py neither_taken_nor_ended",
    ),
    Leak(
        "a role that is no tenant passes for the platform",
        "core/outbox.sql",
        "  IF acting = 'platform' THEN",
        "  IF acting !~ '^t_' THEN",
        "tests/core/test_outbox_sql.py no_tenant",
    ),
    Leak(
        "functions of the outbox that everybody may call",
        "core/outbox.sql",
        "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA outbox FROM PUBLIC;",
        "",
        "tests/tenants/test_grants.py owner_and_grant",
    ),
    # Jobs
    Leak(
        "a suspended tenant's job that runs",
        "workers/runtime.py",
        '        if tenant.status != "active":',
        "        if False:",
        "tests/workers/test_runtime.py suspended",
    ),
    Leak(
        "a job of a product that the tenant has not",
        "workers/runtime.py",
        "        if not self.registry.allowed(actor, tenant):",
        "        if False:",
        "tests/workers/test_runtime.py suspended",
    ),
    Leak(
        "a message that runs as another job",
        "workers/runtime.py",
        "        if row is not None and row.actor != self.actor.name:",
        "        if False:",
        "tests/attack/test_actors.py no_other_job",
    ),
    Leak(
        "a lost lease that still counts",
        "workers/runtime.py",
        "            raise LeaseLost\n",
        "            return\n",
        "tests/workers/test_runtime.py who_lost_the_lease",
    ),
    # The edge
    Leak(
        "pages of a product that the tenant has not",
        "core/web/edge.py",
        "        if plugin is not None and plugin not in tenant.plugins:",
        "        if False:",
        "tests/plugins/car_hire/test_pages.py without_car_hire",
    ),
    Leak(
        "a double slash round the gate",
        "core/web/edge.py",
        ' or "//" in path:',
        ":",
        "tests/core/web/test_edge.py round_the_gate",
    ),
    Leak(
        "a suspended tenant that is served",
        "core/web/edge.py",
        '        if tenant.status != "active" and not',
        "        if False and not",
        "tests/tenants/lifecycle/test_serving.py suspended",
    ),
    # Streams of server-sent events
    Leak(
        "a stream that outlives its session",
        "core/web/streams.py",
        "            return False\n\n    async def _is_let_in",
        "            return True\n\n    async def _is_let_in",
        "tests/attack/test_streams.py ends_with_its_session",
    ),
    Leak(
        "a stream that goes on at a suspended tenant",
        "core/web/edge.py",
        '        return now if again["path"] == scope["path"] else None',
        "        return now",
        "tests/attack/test_streams.py tenant_rests",
    ),
    Leak(
        "a stream of a business that is somebody else's by now",
        "tenants/portal/services/progress.py",
        "            if await businesses.role_of(session, account_id, business_id) is None:",
        "            if False:",
        "tests/attack/test_streams.py ends_with_the_membership",
    ),
    # What is remembered, stored and told
    Leak(
        "failures of plugins noted without the tenant",
        "core/plugin_failures.py",
        "    key = tenant.id, plugin, place\n",
        "    key = UUID(int=0), plugin, place\n",
        "tests/attack/test_remembered.py silences_none",
    ),
    Leak(
        "an answer of the API that a shared cache may keep",
        "core/web/headers.py",
        '    (b"cache-control", b"private, no-cache"),\n',
        "",
        "tests/attack/test_remembered.py poisons",
    ),
    Leak(
        "an archive that follows links into another tenant's folder",
        "core/storage/disk.py",
        "if not path.is_symlink() and not",
        "if not",
        "tests/attack/test_files.py takes_no_link",
    ),
    Leak(
        "archives of all tenants in one folder",
        "tenants/files.py",
        '    return settings.files_dir / "archives" / tenant_id.hex',
        '    return settings.files_dir / "archives"',
        "tests/attack/test_files.py key_bears",
    ),
    Leak(
        "a product's name that leads out of its folder",
        "core/storage/keys.py",
        "    if not _PLUGIN.fullmatch(plugin):",
        "    if False:",
        "tests/attack/test_files.py leads_nowhere",
    ),
    Leak(
        "an event that every product hears, enabled or not",
        "workers/registry.py",
        "        for part in self.parts_of(tenant):\n            for kind",
        "        for part in self.plugins:\n            for kind",
        "tests/attack/test_listeners.py without_the_product",
    ),
    Leak(
        "an event that is told anew at each ring",
        "core/outbox.sql",
        "    SET state = 'done', finished_at",
        "    SET state = 'pending', finished_at",
        "tests/attack/test_listeners.py at_home_alone",
    ),
    # The catalogue's cache
    Leak(
        "an answer kept although it is history",
        "tenants/catalogue.py",
        "        if changes == self._changes:",
        "        if True:",
        "tests/tenants/test_catalogue.py before_a_change",
    ),
    Leak(
        "a change that other processes do not hear",
        "tenants/catalogue.py",
        "            self.forget(UUID(key))",
        "            pass",
        "tests/tenants/test_catalogue.py every_process",
    ),
    # Sessions and tokens
    Leak(
        "a cache of sessions whose key has no tenant",
        "core/auth/sessions.py",
        "        key = SessionKey(tenant.id, digest(token), kind)",
        "        key = SessionKey(UUID(int=0), digest(token), kind)",
        "tests/core/auth/test_sessions.py",
    ),
    Leak(
        "a program's secret in a cookie",
        "core/auth/sessions.py",
        '        _SESSIONS.kind == bindparam("kind"),\n',
        "",
        "tests/core/auth",
    ),
    Leak(
        "a session of somebody who may no longer come in",
        "core/auth/sessions.py",
        "        _USERS.disabled_at.is_(None),\n",
        "",
        "tests/core/auth/test_sessions.py",
    ),
    Leak(
        "sessions that a stranger can end",
        "core/auth/sessions.py",
        ".where(UserSession.id == session_id, UserSession.user_id == user_id)",
        ".where(UserSession.id == session_id)",
        "tests/core/auth/test_account_pages.py anothers",
    ),
    Leak(
        "an ended session that other processes believe in",
        "core/auth/sessions.py",
        "            self.forget(UUID(tenant_id), UUID(user_id))",
        "            pass",
        "tests/core/auth/test_sessions.py other_processes",
    ),
    Leak(
        "an identity kept although it is history",
        "core/auth/sessions.py",
        "        if epoch != self.epoch:",
        "        if False:",
        "tests/core/auth/test_sessions.py before_a_change",
    ),
    Leak(
        "a token that serves every purpose",
        "core/auth/entry.py",
        "        delete(OneTimeToken)\n        .where(\n"
        "            OneTimeToken.token_hash == digest(token),\n"
        "            OneTimeToken.purpose == purpose,\n",
        "        delete(OneTimeToken)\n        .where(\n"
        "            OneTimeToken.token_hash == digest(token),\n",
        "tests/core/auth/test_recovery.py one_purpose",
    ),
    # Who may call
    Leak(
        "a permission that nobody asks for",
        "core/auth/guard.py",
        "    if not identity.may(access.permission):",
        "    if False:",
        "tests/core/auth/test_access.py permission",
    ),
    Leak(
        "a route that need not say who may call it",
        "core/auth/guard.py",
        '            if not isinstance(handler.opt.get("access"), Access):',
        "            if False:",
        "tests/core/auth/test_guard.py",
    ),
    Leak(
        "a neighbour's pages that may act here",
        "core/web/csrf.py",
        '{"same-origin", "none"}',
        '{"same-origin", "same-site", "none"}',
        "tests/core/web/test_csrf.py other_sites",
    ),
    Leak(
        "an old browser that is believed without an origin",
        "core/web/csrf.py",
        "    elif any(name in read_cookies(scope) for name in SESSION_COOKIES):",
        "    elif False:",
        "tests/core/web/test_csrf.py other_sites",
    ),
    Leak(
        "a way on to another site",
        "core/auth/guard.py",
        '    return otherwise if target.startswith("//") else target',
        "    return target",
        "tests/core/auth/test_forms.py this_host",
    ),
    # What is counted, kept and sealed
    Leak(
        "attempts that tenants share",
        "core/throttle.py",
        'f"throttle:{whose}:',
        'f"throttle:{TENANT_ZERO}:',
        "tests/core/test_throttle.py counted_apart",
    ),
    Leak(
        "a kept answer that somebody else gets",
        "core/web/idempotency.py",
        '        owner=str(who.user_id) if who else "anonymous",',
        '        owner="anonymous",',
        "tests/core/web/test_idempotency.py one_person",
    ),
    Leak(
        "a session of one tenant that writes while another is served",
        "core/crypto/keyring.py",
        "    if serving is not None and serving.id != tenant.id:",
        "    if False:",
        "tests/core/test_crypto.py another_tenants_session",
    ),
    Leak(
        "sealed bytes that open in another place",
        "core/crypto/box.py",
        '    return head + b"".join(len(part).to_bytes(4, "big") + part for part in parts)',
        "    return head",
        "tests/core/test_crypto.py another_column",
    ),
    # Products and the portal
    Leak(
        "bookings of other customers",
        "plugins/car_hire/routes/site.py",
        "bookings_page(session, cursor, customer_id=known.id)",
        "bookings_page(session, cursor)",
        "tests/plugins/car_hire/test_pages.py finds_books",
    ),
    Leak(
        "businesses of other accounts",
        "tenants/portal/services/businesses.py",
        "        .where(Membership.account_id == account_id)\n",
        "",
        "tests/tenants/portal/test_businesses.py members_alone",
    ),
    Leak(
        "a vendor that anybody may play",
        "core/payments/stripe_provider.py",
        "            stripe.WebhookSignature.verify_header(body, signature, secret, SIGNATURE_AGE)",
        "            pass",
        "tests/core/payments/test_webhooks.py only_the_provider",
    ),
)
