"""What ``atrium.testing.servers`` gives, by the name that these tests know it by."""

from atrium.testing.servers import POSTGRES, REDIS, SCRATCH, VERSION, Postgres, Servers, scratch

__all__ = ["POSTGRES", "REDIS", "SCRATCH", "VERSION", "Postgres", "Servers", "scratch"]
