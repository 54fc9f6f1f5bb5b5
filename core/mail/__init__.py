"""Mail: written in the transaction that has a reason for it, delivered by a job.

    await mail.send(session, "car_hire/mail/receipt", to=customer.email, context={…})

A letter is a template ``….txt``, whose first line is ``Subject: …``, and if it should look
better than plain, ``….html`` that extends ``mail/letter.html``. In both, ``address_of(path)`` is
the whole address of a page of the tenant's site.
"""

from core.mail.office import address_of, from_address, install
from core.mail.services import send

__all__ = ["address_of", "from_address", "install", "send"]
