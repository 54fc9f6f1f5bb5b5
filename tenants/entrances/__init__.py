"""The way from the portal into businesses, shut behind whoever lost the key to their account."""
