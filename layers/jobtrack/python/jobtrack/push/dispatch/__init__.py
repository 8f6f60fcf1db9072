"""From the outbox to the delivery queue: which subscription gets which message."""
