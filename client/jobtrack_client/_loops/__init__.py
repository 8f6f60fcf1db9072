"""Tracked loops: `track()`, and how a loop ended."""
