"""What the portal does: drafts of sign-ups, signing up, and running one's businesses."""
