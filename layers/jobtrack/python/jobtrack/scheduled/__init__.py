"""Work that a schedule starts: stalled jobs are marked, and items of live jobs are kept."""
