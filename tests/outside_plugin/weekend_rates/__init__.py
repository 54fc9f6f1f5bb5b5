"""Car hire costs more at weekends."""
