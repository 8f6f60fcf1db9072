"""From a reported event to the service: buffer, batches, the sending thread, and its retries."""
