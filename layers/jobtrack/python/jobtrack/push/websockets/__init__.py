"""WebSocket connections, and the events that are sent over them in order."""
