"""The client's access to the interpreter: threads, tasks, forks, exit hooks, import hooks and the log."""
