"""The rules by which Lambda carries streams and queues to functions, and those of SQS, over whatever holds the records.

The local service runs them over its engines, the tests of faults over shards and queues in memory by their own clock.
"""
