"""API Gateway's fixed limits of a WebSocket, and the waiting times of the local service.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""

MESSAGE_BYTES = 128 * 1024
"""Largest message in either direction, in bytes."""
FRAME_BYTES = 32 * 1024
"""Largest frame of a client, in bytes; a longer message has several frames."""
IDLE_SECONDS = 10 * 60
"""Lifetime of a connection without messages, in seconds."""
LIFETIME_SECONDS = 2 * 3600
"""Lifetime of any connection, in seconds."""

POST_SECONDS = 3
"""How long a message waits for a client that does not read. Then the client is dropped; the post waits 5 s."""
FAREWELL_SECONDS = 1
"""How long clients have to confirm a close after the service was stopped."""
HANDLERS_AT_ONCE = 32
"""Number of handlers that run concurrently; further messages wait."""
