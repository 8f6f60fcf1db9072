"""The client of one project; `make client` generates `_sync` from `_async`."""
