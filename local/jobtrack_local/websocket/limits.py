"""API Gateway's own limits of a WebSocket, none of which can be raised, and how long the local service waits itself.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""

MESSAGE_BYTES = 128 * 1024
"""The largest message, either way."""
FRAME_BYTES = 32 * 1024
"""The largest frame that a client may send; a longer message comes in several."""
IDLE_SECONDS = 10 * 60
"""How long a connection lives on which nothing is sent either way."""
LIFETIME_SECONDS = 2 * 3600
"""How long a connection lives at all."""

POST_SECONDS = 3
"""How long a message waits for a client that does not read; then it is dropped, before who posts gives up (5 s)."""
FAREWELL_SECONDS = 1
"""How long clients have to answer that they are being closed, once the service stops."""
HANDLERS_AT_ONCE = 32
"""How many of the functions' handlers run at a time; further messages wait their turn."""
