"""Runs a command as a tracked job."""
