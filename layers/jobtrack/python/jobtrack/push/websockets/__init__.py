"""WebSocket connections, and the events that are sent over them in order.

A client connects with a ticket (`connection_service`). When there may be events to send, a wake is put into the
delivery queue. It makes the `streamer` acquire the subscription's lease and post the events after its position
(`backlog`). A client that reconnects sends `resume`, which moves the position back and wakes the streamer.
"""
