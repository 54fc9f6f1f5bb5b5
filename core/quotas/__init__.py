"""How much a tenant may have of something, or do of it in a month; counted exactly.

A part declares a ``Limit``. A service that makes one more calls ``take`` before it does, and
``give_back`` when one goes; the operator grants a tenant another number
(``tenants.limits``), which comes with the ``Tenant`` and costs no query.
"""

from core.quotas.declaration import Limit
from core.quotas.services import QuotaExceeded, give_back, take

__all__ = ["Limit", "QuotaExceeded", "give_back", "take"]
