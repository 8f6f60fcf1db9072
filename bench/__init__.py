"""Measure what each operation costs in requests, capacity units and bytes, and compare with its limit."""
