"""What nearly every handler takes."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

AnyRequest = Request[Any, Any, Any]
Session = NamedDependency[AsyncSession]
"""The session of the request's one transaction, in the scope of its tenant."""
