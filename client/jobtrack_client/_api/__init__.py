"""The HTTP API: requests, responses, errors, retries and settings."""
