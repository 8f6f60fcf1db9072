# Generated from ../_async/__init__.py by `make client`; do not edit.
"""Clients that wait by `await`; `make client` makes `_sync` of them."""

from jobtrack_client._api._sync.client import Client

__all__ = ["Client"]
