"""The journal of a job: log lines, timeline entries and metrics in time order, packed into chunks."""
