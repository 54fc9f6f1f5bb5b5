"""What ``atrium.testing.routes`` gives, by the name that these tests know it by."""

from atrium.testing.routes import METHODS, UNSAFE, Route, Unexercised, routes

__all__ = ["METHODS", "UNSAFE", "Route", "Unexercised", "routes"]
