"""Jobs and stages, and which of them running code belongs to."""
