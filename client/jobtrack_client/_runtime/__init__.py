"""What the client needs from the interpreter: threads, exit hooks, import hooks and its log."""
