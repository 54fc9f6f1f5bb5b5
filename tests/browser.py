"""What ``atrium.testing.browser`` gives, by the name that these tests know it by."""

from atrium.testing.browser import ARGUMENTS, axe, chromium

__all__ = ["ARGUMENTS", "axe", "chromium"]
