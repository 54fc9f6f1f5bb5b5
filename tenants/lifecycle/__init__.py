"""A tenant's life, as the platform steers it, in its parts:

``ordering`` a new one, the ``statuses`` it may have, ``serving`` (suspended, resumed, under
maintenance), ``naming`` (its address) and its ``products``.

Every function takes tenant zero's session and leaves the transaction to the caller. What
changes how a tenant is served is announced to all processes once that transaction commits.
"""

from tenants.lifecycle.naming import SlugTaken, is_available, suggest
from tenants.lifecycle.ordering import FILL, PROVISION, Order, Ordered, Owner, note, order
from tenants.lifecycle.products import disable_plugin, enable_plugin, request_dedicated
from tenants.lifecycle.serving import resume, suspend

__all__ = [
    "FILL",
    "PROVISION",
    "Order",
    "Ordered",
    "Owner",
    "SlugTaken",
    "disable_plugin",
    "enable_plugin",
    "is_available",
    "note",
    "order",
    "request_dedicated",
    "resume",
    "suggest",
    "suspend",
]
