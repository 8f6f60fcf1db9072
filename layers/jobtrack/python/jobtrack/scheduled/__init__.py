"""Work that a schedule starts every minute: finding silent and expired jobs, and extending the TTL of items."""
