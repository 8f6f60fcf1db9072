"""The delivery queue: messages to receivers, and wakes of streamers."""
