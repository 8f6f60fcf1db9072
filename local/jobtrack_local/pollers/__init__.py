"""Lambda's pollers on one machine: they read streams, queues and schedules, and call functions.

The rules of retries and batches work over any source of records. The local service uses them over its engines; the
fault tests use them over in-memory streams and queues with a clock of their own.
"""
