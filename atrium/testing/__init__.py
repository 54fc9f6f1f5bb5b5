"""What a plugin is tested with: a small world, a site to visit, and the conformance checks."""
