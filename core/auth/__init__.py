"""Who is asking: accounts, sessions, roles, and the guard that asks them."""
