"""What each operation costs, in requests, capacity units and bytes, beside what it may cost."""
