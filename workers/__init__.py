"""The Dramatiq runtime: broker, outbox relay, scheduler, process entry point."""
