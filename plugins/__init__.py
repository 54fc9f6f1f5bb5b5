"""The products, each a plugin."""
