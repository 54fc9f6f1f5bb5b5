"""What ``atrium.testing.site`` gives, by the name that these tests know it by."""

from atrium.testing.site import OWN_PAGES, Site, lifespan_of, site_of

__all__ = ["OWN_PAGES", "Site", "lifespan_of", "site_of"]
