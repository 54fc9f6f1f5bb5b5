"""Notifications: told, shown, mailed and forgotten."""
