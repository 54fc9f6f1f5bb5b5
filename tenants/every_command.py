"""The group ``atrium tenants`` with all its commands: importing them adds them to it."""

from tenants import archive_commands, tenant_commands
from tenants.operator import limit_commands
from tenants.operator import tenant_commands as operator_commands
from tenants.working import tenants

__all__ = ["archive_commands", "limit_commands", "operator_commands", "tenant_commands", "tenants"]
