"""``atrium doctor``: scopes against what the same script makes, and what may be mended."""
