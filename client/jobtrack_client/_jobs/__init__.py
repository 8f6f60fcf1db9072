"""Jobs and stages, and which of them are current."""
