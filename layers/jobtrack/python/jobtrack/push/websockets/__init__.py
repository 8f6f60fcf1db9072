"""WebSocket connections, and the events that are sent over them in order.

A client connects with a ticket (`connection_service`). Whenever there may be something to send, a wake in the delivery
queue makes the `streamer` acquire the subscription's lease and post the events after its position (`backlog`). A client
that reconnects sends `resume`, which moves the position back and wakes the streamer.
"""
