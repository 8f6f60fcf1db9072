"""The asynchronous client. `make client` generates the blocking client in `_sync` from it."""

from jobtrack_client._api._async.client import AsyncClient

__all__ = ["AsyncClient"]
