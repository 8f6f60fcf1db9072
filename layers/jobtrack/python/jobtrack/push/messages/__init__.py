"""The delivery queue and its contents: messages to receivers, and wakes for the WebSocket streamer."""
