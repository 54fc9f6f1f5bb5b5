"""Benchmarks: each a module with ``run()``, its target and its peer, run by ``make bench``."""
