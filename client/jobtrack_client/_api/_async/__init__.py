"""Clients that wait by `await`; `make client` makes `_sync` of them."""

from jobtrack_client._api._async.client import AsyncClient

__all__ = ["AsyncClient"]
