"""A business's own address that its letters come from: proved by DNS records, signed, watched.

One business has one such address. Its domain is whoever's proves it, and at most one business's.
Every function takes tenant zero's session; what changes how letters leave is announced to all
processes, since the directory carries it.
"""
