"""Fines and tolls that are charged after a hire: noted, charged, paid, contested, waived."""
