"""The verbs of car hire. Each service holds the SQL of one aggregate and nothing of the web."""
