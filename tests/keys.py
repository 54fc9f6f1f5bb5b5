"""What ``atrium.testing.keys`` gives, by the name that these tests know it by."""

from atrium.testing.keys import key_ring, master_key_file

__all__ = ["key_ring", "master_key_file"]
