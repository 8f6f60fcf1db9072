"""The rules of a job. They are pure functions and values: no storage, no network, and the current time is an argument.

To find a rule: `lifecycle` applies reported events to a job, `stage_events` those of a stage, `transitions` says which
event a status allows, `stalled` when a job is stalled, `estimate` what remains of a job, `queue_forecast` when a queued
job starts, `dependencies` what a job waits for. `journal` packs the history of a job: log lines, timeline entries and
metrics.
"""
