"""Lambda's runtime on one machine: loads functions and calls their handlers."""
