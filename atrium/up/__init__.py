"""`make up`: everything on one machine, from PostgreSQL to the scheduler."""
