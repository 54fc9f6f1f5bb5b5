"""A new plugin, as a distribution of its own: made by ``atrium plugins new``."""
