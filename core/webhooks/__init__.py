"""What happens at a business, told to programs of its own by signed requests.

Parts declare which of their domain events programs may hear (``Plugin.webhooks``). An owner adds
an endpoint and chooses among them; whatever is emitted then is kept as a message, with a delivery
for each endpoint, in the transaction of the fan-out, and sent by jobs as the Standard Webhooks
specification has it (https://www.standardwebhooks.com).
"""

from core.webhooks.declaration import Webhook

__all__ = ["Webhook"]
