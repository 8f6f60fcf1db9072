"""TTLs: how long the items of a job are kept.

A job is kept for the retention R after its last report: each report moves the expiry of its snapshot. The other items
of the job are written once, and must not expire before the snapshot.

- The snapshot of an ended job is deleted by its TTL. The TTL of an open job (queued or running) is never reached: the
  job is in the project's counters, so only a transaction that also updates the counters may delete it (`job_expiry`).

- A new item is kept for R + R/4.
- While the job reports, the TTL extender looks at its items every R/8. Items that would expire in less than R + R/4 are
  extended to R + 3R/4. So an item is extended at most once per R/2, and expires at least R/8 after its job.
- If R becomes longer, the job's next report starts an extension at once: items that were written under the shorter R
  might expire before the next extension.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from jobtrack import times
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

DAY_SECONDS = 24 * 3600


class Retention(Struct, frozen=True):
    """The retention, and the expiries that result from it after a report."""

    seconds: int

    @classmethod
    def days(cls, count: int) -> "Retention":
        """Return a retention of a number of days."""
        return cls(count * DAY_SECONDS)

    @property
    def extension_seconds(self) -> int:
        """The time between two extensions of a job's items."""
        return self.seconds // 8

    @property
    def item_seconds(self) -> int:
        """How long a new item is kept."""
        return self.seconds * 5 // 4

    def snapshot_expiry(self, reported: Micros) -> Micros:
        """Return when the job's snapshot expires."""
        return times.add_seconds(reported, self.seconds)

    def item_expiry(self, reported: Micros) -> Micros:
        """Return when a new item expires. An item that would expire earlier must be extended."""
        return times.add_seconds(reported, self.item_seconds)

    def extended_expiry(self, reported: Micros) -> Micros:
        """Return the new expiry of an item that is extended."""
        return times.add_seconds(reported, self.seconds * 7 // 4)

    def last_report(self, snapshot_expires: Micros) -> Micros:
        """Return when the job reported last, from the expiry of its snapshot."""
        return times.add_seconds(snapshot_expires, -self.seconds)

    def has_grown(self, snapshot_expires: Micros, reported: Micros) -> bool:
        """Return whether the retention was shorter when the snapshot was written, at the report `reported`.

        Retentions are whole days, and clocks differ by less than half a day.
        """
        return times.seconds_between(self.last_report(snapshot_expires), reported) > DAY_SECONDS // 2


def encode_job_expiry(expires: Micros, ended: bool) -> "dict[str, AttributeValueTypeDef]":
    """Return the attributes of a snapshot with the expiry of its job: `until`, and the TTL."""
    return {"exp": encode_expiry(expires if ended else times.LATEST), "until": encode_expiry(expires)}


def decode_job_expiry(snapshot: Mapping[str, Any]) -> Micros:
    """Return when the job of a stored snapshot expires: by its TTL, or by `until` if the TTL is never reached.

    The TTL of an open job can be reached only if a version without counters wrote the job.
    """
    return decode_expiry({"exp": snapshot["until"]} if has_no_ttl(snapshot) else snapshot)


def has_no_ttl(snapshot: Mapping[str, Any]) -> bool:
    """Return whether TTL never deletes a stored snapshot."""
    return bool(snapshot["exp"] == encode_expiry(times.LATEST))


def encode_expiry(expires: Micros) -> "AttributeValueTypeDef":
    """Return the TTL attribute `exp`: DynamoDB wants whole seconds since 1970."""
    return {"N": str(times.epoch_seconds(expires))}


def decode_expiry(item: Mapping[str, Any]) -> Micros:
    """Return when a stored item expires."""
    return Micros(int(item["exp"]["N"]) * times.SECOND)
