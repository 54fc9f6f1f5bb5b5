"""The texts of core in other languages, and the tool that keeps every catalogue up to date."""
