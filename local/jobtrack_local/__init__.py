"""The whole service on one machine: the functions' own routers and handlers over an embedded engine."""
