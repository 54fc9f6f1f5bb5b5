"""A business's own host names: claimed, proved by DNS records, watched, and given up.

Anybody may claim a name; whoever makes its records has it. Every function takes tenant zero's
session, and what changes how a tenant is served is announced to all processes.
"""
