"""What the API answers of a job, as the contract words it: pure functions of its state and the clock."""
