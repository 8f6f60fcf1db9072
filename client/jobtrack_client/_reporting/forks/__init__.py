"""Reporting from forked processes, which hand their events to their parent."""
