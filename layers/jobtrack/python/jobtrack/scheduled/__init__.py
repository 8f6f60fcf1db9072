"""Work that a schedule starts every minute: finding stalled jobs, and extending the TTL of live jobs' items."""
