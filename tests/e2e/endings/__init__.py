"""Every way in which a tracked program can end, for every way to track one."""
