"""What is counted for billing."""
