"""From the delivery queue to a webhook: sign, post, record, retry, and the circuit breaker."""
