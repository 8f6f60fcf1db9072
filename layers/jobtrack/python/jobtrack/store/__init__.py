"""Jobs in DynamoDB. Each write is one conditional transaction; reads of jobs are strongly consistent.

- Writing: `jobs` (create, report), `job_versions` (the actions of a version), `transactions`, `too_many_requests`,
  `idempotency`, `outbox`, `job_subscriptions`.
- Reading: `job_reader`, `job_lists`, `job_queue`, `dependency_graph`; in a journal: `journal_reader` (pages of
  logs), `log_follower`, `timeline`, `metric_history`.
- Expiry: `timers`, `ttl`, `ttl_extension`.
"""
