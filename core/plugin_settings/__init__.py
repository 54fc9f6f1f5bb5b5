"""A plugin's settings for one tenant: its msgspec Struct, kept as JSON in the tenant's scope.

Every change is a version of its own that can be looked at and put back.
"""

from core.plugin_settings.services import read, read_at, save

__all__ = ["read", "read_at", "save"]
