"""What is counted, and how much of it is allowed."""
