"""What a program reports about: jobs, their stages, and loops that become stages."""
