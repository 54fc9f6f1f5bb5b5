"""Mail: written in the transaction that has a reason for it, delivered by a job."""
