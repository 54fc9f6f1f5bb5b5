"""The waiting list: joined and left, and served in order when a car gets free."""
