"""Sends reported events to the service: the buffer, the batches, the sending thread and its retries."""
