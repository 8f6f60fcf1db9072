"""TTLs: how long the items of a job are kept.

A job is kept for the retention R after its last report: each report moves the TTL of its snapshot. The other items of
the job are written once, and must not expire before the snapshot.

- A new item is kept for R + R/4.
- While the job reports, the TTL extender looks at its items every R/8. Those that would expire in less than R + R/4 are
  extended to R + 3R/4. So an item is extended at most once per R/2, and expires at least R/8 after its job.
- If R becomes longer, the job's next report starts an extension at once: items that were written under the shorter R
  might expire before the next one.
"""

from msgspec import Struct

DAY = 24 * 3600


class Retention(Struct, frozen=True):
    """The retention, and the TTLs that follow from it for a report at some moment (epoch seconds)."""

    seconds: int

    @classmethod
    def days(cls, count: int) -> "Retention":
        """Return a retention of a number of days."""
        return cls(count * DAY)

    @property
    def extension_seconds(self) -> int:
        """The time between two extensions of a job's items."""
        return self.seconds // 8

    def snapshot_expiry(self, reported: int) -> int:
        """Return when the job's snapshot expires."""
        return reported + self.seconds

    def item_expiry(self, reported: int) -> int:
        """Return when a new item expires; one that would expire earlier is to be extended."""
        return reported + self.seconds * 5 // 4

    def extended_expiry(self, reported: int) -> int:
        """Return when an item expires that is extended now."""
        return reported + self.seconds * 7 // 4

    def last_report(self, snapshot_expires: int) -> int:
        """Return when the job reported last, from the expiry of its snapshot."""
        return snapshot_expires - self.seconds

    def has_grown(self, snapshot_expires: int, reported: int) -> bool:
        """Return whether the retention was shorter when the snapshot was written, at the report `reported`.

        Retentions are whole days, and clocks differ by less than half a day.
        """
        return reported - self.last_report(snapshot_expires) > DAY // 2
