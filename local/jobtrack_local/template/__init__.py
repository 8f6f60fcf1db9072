"""Reads template.yaml, the only list of functions, routes, triggers and tables."""
