"""How long the items of a job are kept.

A job is kept for the retention after its last report: each report moves the expiry of its snapshot. The other items of
the job are written once, and must not expire before the snapshot does. So they begin with a quarter of the retention
more, and as long as the job reports, the watchdog passes over them every eighth of the retention. It extends those
that have less than that left, to three quarters more than the retention: an item is extended at most once per half
retention, and always outlives its job by an eighth. When the retention itself becomes longer, the next report has the
items looked at: those of the shorter one could expire before the next pass.
"""

from msgspec import Struct

DAY = 24 * 3600


class Retention(Struct, frozen=True):
    """The retention in seconds, and what follows from it for a report at some moment (epoch seconds)."""

    seconds: int

    @classmethod
    def days(cls, count: int) -> "Retention":
        """A retention of so many days."""
        return cls(count * DAY)

    @property
    def pass_seconds(self) -> int:
        """How often the older items of a job that reports are looked at."""
        return self.seconds // 8

    def snapshot(self, reported: int) -> int:
        """Until when the job is kept."""
        return reported + self.seconds

    def beside(self, reported: int) -> int:
        """Until when an item is kept that is written now; what expires earlier is to be extended."""
        return reported + self.seconds * 5 // 4

    def extended(self, reported: int) -> int:
        """Until when an item is kept that is extended now."""
        return reported + self.seconds * 7 // 4

    def reported(self, snapshot_expires: int) -> int:
        """When the job reported last, by the expiry of its snapshot."""
        return snapshot_expires - self.seconds

    def grown(self, snapshot_expires: int, reported: int) -> bool:
        """Whether the snapshot of a job that reported last at that moment was written under a shorter retention.

        A retention is a number of days; clocks differ by less than half a day.
        """
        return reported - self.reported(snapshot_expires) > DAY // 2
