"""The delivery queue, and what it carries: messages to receivers, and wakes of the streamer of WebSockets."""
