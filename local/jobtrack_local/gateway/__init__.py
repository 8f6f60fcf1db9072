"""API Gateway's HTTP API on one machine: routes, authorizer, timeouts and the web server."""
