"""The portal's pages and its API."""
