"""Every way in which a tracked program can end, tried through every way to track one."""
