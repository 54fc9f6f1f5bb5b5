"""The peers that benchmarks compare with, set up as their own documentation advises."""
