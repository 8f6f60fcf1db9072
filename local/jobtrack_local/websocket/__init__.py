"""API Gateway's WebSocket API on one machine: the routes of template.yaml, and the management API."""
