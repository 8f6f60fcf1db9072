"""The rules of a job, pure: no storage, no network, no clock of their own."""
