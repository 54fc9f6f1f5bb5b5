"""Features that are on for one tenant and off for another, without a release.

A part declares a ``Flag``; code asks ``on(session, "car_hire.pay_at_desk")``, templates
``flag("car_hire.pay_at_desk")``. What was said of it (``tenants.flags``) comes with the ``Tenant``
and costs no query.
"""

from core.flags.declaration import Flag
from core.flags.resolution import UnknownFlag, on

__all__ = ["Flag", "UnknownFlag", "on"]
