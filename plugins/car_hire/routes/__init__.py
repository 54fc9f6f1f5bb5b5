"""The desk, the customers' site and the API: each parses, calls one service and answers."""
