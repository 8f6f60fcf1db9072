"""The rules of a job. They are pure functions and values: no storage, no network, and the current time is an argument.

To find a rule: `lifecycle` applies reported events to a job, `stage_events` applies the events of a stage,
`transitions` says which event a status allows, `stalled` says when a job is stalled, `estimate` says how much time
remains, `queue_forecast` says when a queued job starts, and `dependencies` says what a job waits for. `journal` packs
the history of a job: log lines, timeline entries and metrics.
"""
