"""The bodies of the service's responses and messages: a TypedDict each.

The views construct them. The OpenAPI document and the client's `models.py` are generated from them.
"""
