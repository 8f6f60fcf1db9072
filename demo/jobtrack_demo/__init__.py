"""`jobtrack demo`: serve, run the sample worker and show its job live."""
