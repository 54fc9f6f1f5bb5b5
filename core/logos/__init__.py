"""A business's logo: checked, made small and kept among its own rows."""
