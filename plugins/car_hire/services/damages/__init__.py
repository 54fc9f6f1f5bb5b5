"""What damage and dirt cost: the owner's table in versions, and what a return is charged by it."""
