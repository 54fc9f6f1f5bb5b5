"""What people agree to: published in versions, accepted by name and digest, asked for again.

One domain for two publishers, because tenant zero is a scope: the operator's terms lie there
and are accepted by the portal's accounts, a business's lie in its own and are accepted by its
customers. Staff work for whoever publishes, and are asked nothing.
"""

from core.terms.services import (
    accept,
    accepted_now,
    asked_of,
    current,
    due,
    insist_accepted,
)

__all__ = ["accept", "accepted_now", "asked_of", "current", "due", "insist_accepted"]
