"""Tracked loops: `track()`, and how a loop was left."""
