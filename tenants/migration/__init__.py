"""Bringing scopes to the newest revision of each line: compiled once, replayed in parallel."""
