"""The error of the local service."""


class LocalError(Exception):
    """The local service cannot start or continue. The message is one line for its user."""
