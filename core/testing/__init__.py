"""What a plugin's own tests say, and what they are given.

One line has a plugin checked for all that Atrium expects of one::

    TestGuestbook = conformance("guestbook")

The checks and the fixtures are ``atrium.testing``'s: pytest finds them wherever Atrium is
installed with its extra ``test``. Here is what a plugin's tests may import.
"""

from core.testing.business import Business
from core.testing.conformance import Conformance, Rows, conformance

__all__ = ["Business", "Conformance", "Rows", "conformance"]
