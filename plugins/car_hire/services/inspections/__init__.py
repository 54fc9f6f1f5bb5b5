"""Looking at a car with its customer: drafts, photos, marks of damage, and the end of a look."""
