"""Request bodies and query strings as pydantic models."""
