"""The HTTP client: one GET with its phases, bounds, credentials, and a reason for every failure."""
