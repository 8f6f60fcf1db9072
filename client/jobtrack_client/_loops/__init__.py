"""Loops that track themselves: `track()`, and how a loop was left."""
