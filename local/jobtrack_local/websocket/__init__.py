"""API Gateway's WebSocket API for one machine: the routes of template.yaml, and the API that posts to connections."""
