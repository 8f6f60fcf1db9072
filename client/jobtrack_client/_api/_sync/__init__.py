# Generated from ../_async/__init__.py by `make client`; do not edit.
"""The asynchronous client. `make client` generates the blocking client in `_sync` from it."""

from jobtrack_client._api._sync.client import Client

__all__ = ["Client"]
