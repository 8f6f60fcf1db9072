"""`POST …/job/{jobId}/events`."""

from typing_extensions import TypedDict

from jobtrack.views.responses.fields import Count, Sequence


class Accepted(TypedDict):
    """A batch of events that was stored as a whole."""

    accepted: Count
    """The number of events in the batch"""
    lastSequence: Sequence
