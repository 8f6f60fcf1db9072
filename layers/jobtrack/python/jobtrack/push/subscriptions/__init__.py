"""Subscriptions: creation, storage, changes, secrets and expiry."""
