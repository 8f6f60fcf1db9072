"""API Gateway's limits for WebSockets, which cannot be raised, and the timeouts of the local service.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""

MESSAGE_BYTES = 128 * 1024
"""The size of the largest message, in both directions."""
FRAME_BYTES = 32 * 1024
"""The size of the largest frame that a client may send. A longer message needs several."""
IDLE_SECONDS = 10 * 60
"""How long a connection stays open if no message is sent."""
LIFETIME_SECONDS = 2 * 3600
"""How long a connection stays open."""

POST_SECONDS = 3
"""How long to wait for a client that does not read. The sender's own timeout (5 s) is longer."""
FAREWELL_SECONDS = 1
"""How long to wait for clients to confirm the close when the service stops."""
HANDLERS_AT_ONCE = 32
"""The number of handlers that run at once; further messages wait."""
