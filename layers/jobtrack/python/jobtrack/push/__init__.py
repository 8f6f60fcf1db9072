"""Pushing a job's events to those who subscribed to them."""
