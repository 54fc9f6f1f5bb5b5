"""Companies that hire on account: their people, what they owe, their statements."""
