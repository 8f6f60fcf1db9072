"""Request bodies and query strings as pydantic models. Only functions with HTTP routes import them."""
