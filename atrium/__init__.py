"""The composition root: it puts core, tenants, workers and plugins together."""
