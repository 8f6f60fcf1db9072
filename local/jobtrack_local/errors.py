"""What can go wrong before or while serving, told in one line."""


class LocalError(Exception):
    """The local service cannot do it; the message is all that its user needs."""
