"""What ``atrium.testing.world`` gives, by the name that these tests know it by."""

from atrium.testing.world import World, order, settings_for, world_of

__all__ = ["World", "order", "settings_for", "world_of"]
