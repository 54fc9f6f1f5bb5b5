"""Core's own part in every application: the same declaration as a plugin's."""

from __future__ import annotations

from core.permissions import CORE_PERMISSIONS
from core.plugin import Plugin
from core.web.parts import HANDLERS

core = Plugin(
    name="core",
    title="Atrium",
    summary="Sign-in, people, settings, payments, mail and audit.",
    version="0.1.0",
    core_versions=">=0.1",
    package="core",
    controllers=HANDLERS,
    permissions=CORE_PERMISSIONS,
)
