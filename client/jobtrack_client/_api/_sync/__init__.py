# Generated from ../_async/__init__.py by `make client`; do not edit.
"""The client of one project; `make client` generates `_sync` from `_sync`."""
