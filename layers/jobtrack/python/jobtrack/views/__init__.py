"""The bodies of responses about jobs: pure functions of the domain's state and the clock."""
