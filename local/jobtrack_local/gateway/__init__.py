"""API Gateway's HTTP API on one machine: routes, authorizer, limits and the web server."""
