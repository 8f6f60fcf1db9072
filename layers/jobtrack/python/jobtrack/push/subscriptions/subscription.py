"""A subscription: which of a job's events are pushed to which receiver, and until when."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from msgspec import Struct

from jobtrack import times
from jobtrack.domain.event_text import Language
from jobtrack.domain.events import EventName
from jobtrack.domain.journal import packing
from jobtrack.domain.subscription_states import EndReason, SubscriptionStatus, SubscriptionType
from jobtrack.keys import JobKey
from jobtrack.push.subscriptions.stream_state import StreamState
from jobtrack.store.item_kinds import POINTER, SUBSCRIPTION
from jobtrack.store.outbox_records import OutboxEvent
from jobtrack.store.timers import EXPIRY, Timer
from jobtrack.store.ttl import encode_expiry
from jobtrack.times import Micros

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from jobtrack.views.responses import subscriptions as responses

KEPT_SECONDS = 7 * 24 * 3600
"""How long a subscription can be read after it expired. Its deliveries can be read as long."""
DEFAULT_EVENTS: tuple[EventName, ...] = (
    "stageStarted",
    "stageCompleted",
    "progressUpdate",
    "error",
    "warning",
    "jobCompleted",
)
ERROR_EVENTS: tuple[EventName, ...] = ("error", "stageFailed", "jobFailed")
"""These events are pushed with `notifyOnErrors`, even if they are not subscribed to."""
_LOG_EVENTS = {"WARN": "warning", "ERROR": "error"}


class Filters(Struct, frozen=True):
    """Which of the subscribed events are pushed."""

    min_progress_increment: int = 0
    include_debug_events: bool = False
    notify_on_errors: bool = False


class Subscription(Struct, frozen=True):
    """A subscription of a job. A webhook has sealed secrets, a WebSocket has a stream state."""

    job: JobKey
    subscription_id: str
    type: SubscriptionType
    url: str | None
    events: tuple[EventName, ...]
    filters: Filters
    language: Language
    created_at: Micros
    expires_at: Micros
    sealed: bytes
    status: SubscriptionStatus = "Active"
    end_reason: EndReason | None = None
    stream: StreamState | None = None

    def __repr__(self) -> str:
        """Without the secrets, since this may be logged."""
        return f"Subscription({self.subscription_id}, {self.job})"

    def live(self, now: Micros) -> bool:
        """Return whether events may be pushed now."""
        return self.status == "Active" and now < self.expires_at

    def interests(self) -> frozenset[str]:
        """Return the kinds of event that it may want. The kind of a log line contains the level, as in `log.WARN`."""
        levels = {level for level in ("DEBUG", "INFO", "WARN", "ERROR") if self._wanted_log(level)}
        return frozenset(self._subscribed() - {"log"} | {f"log.{level}" for level in levels})

    def wants(self, event: OutboxEvent) -> str | None:
        """Return the type under which the event is pushed, or None if it is not wanted."""
        if event.type == "log":
            return self._wanted_log(event.data["level"])
        if event.type not in self._subscribed():
            return None
        return None if event.type == "progressUpdate" and not self._far_enough(event) else event.type

    def _subscribed(self) -> set[str]:
        return {*self.events, *(ERROR_EVENTS if self.filters.notify_on_errors else ())}

    def _wanted_log(self, level: str) -> str | None:
        if (name := _LOG_EVENTS.get(level)) in self._subscribed():
            return name
        allowed = level != "DEBUG" or self.filters.include_debug_events
        return "log" if allowed and "log" in self.events else None

    def _far_enough(self, event: OutboxEvent) -> bool:
        step = self.filters.min_progress_increment
        return step == 0 or event.percentage // step > (event.previous_percentage or 0) // step

    def response(self, now: Micros) -> "responses.Subscription":
        """Return the subscription as the API shows it, without secrets."""
        expired = self.status == "Active" and now >= self.expires_at
        return {
            "subscriptionId": self.subscription_id,
            "jobId": self.job.job,
            "subscriptionType": self.type,
            "status": "Expired" if expired else self.status,
            "endReason": "expired" if expired else self.end_reason,
            "webhookUrl": self.url,
            "eventsSubscribed": list(self.events),
            "filters": {
                "minProgressIncrement": self.filters.min_progress_increment,
                "includeDebugEvents": self.filters.include_debug_events,
                "notifyOnErrors": self.filters.notify_on_errors,
            },
            "language": self.language,
            "createdAt": times.render(self.created_at),
            "expiresAt": times.render(self.expires_at),
        }

    def to_item(self) -> "dict[str, AttributeValueTypeDef]":
        """Return the subscription as it is stored. Members that change later have their own attributes."""
        end: dict[str, AttributeValueTypeDef] = {"endReason": {"S": self.end_reason}} if self.end_reason else {}
        return {
            **subscription_key(self.job, self.subscription_id),
            **SUBSCRIPTION.stamp,
            **end,
            **({"secrets": {"B": self.sealed}} if self.sealed else {}),
            **(self.stream.to_attributes() if self.stream else {}),
            "status": {"S": self.status},
            "createdAt": {"N": str(self.created_at)},
            "expiresAt": {"N": str(self.expires_at)},
            "exp": encode_expiry(self._kept_until),
            "d": {"B": packing.pack(self._details())},
        }

    @property
    def _kept_until(self) -> Micros:
        return times.add_seconds(self.expires_at, KEPT_SECONDS)

    def _details(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "url": self.url,
            "events": self.events,
            "filters": self.filters,
            "language": self.language,
        }

    @classmethod
    def from_item(cls, item: "Mapping[str, AttributeValueTypeDef]") -> Self:
        """Return the subscription of a stored item.

        Raises:
            UnreadableFormat: another release stored it.
        """
        details = packing.unpack(bytes(SUBSCRIPTION.check(item)["d"]["B"]))
        return cls(
            job=JobKey.from_partition(item["pk"]["S"]),
            subscription_id=item["sk"]["S"],
            type=details["type"],
            url=details["url"],
            events=tuple(details["events"]),
            filters=Filters(**details["filters"]),
            language=details["language"],
            created_at=Micros(int(item["createdAt"]["N"])),
            expires_at=Micros(int(item["expiresAt"]["N"])),
            sealed=bytes(item["secrets"]["B"]) if "secrets" in item else b"",
            status=cast(SubscriptionStatus, item["status"]["S"]),
            end_reason=cast(EndReason, item["endReason"]["S"]) if "endReason" in item else None,
            stream=StreamState.from_item(item),
        )

    def pointer_item(self) -> "dict[str, AttributeValueTypeDef]":
        """Return the item by which a subscription's id leads to its job."""
        return {
            "pk": {"S": self.job.owner.partition},
            "sk": {"S": self.subscription_id},
            **POINTER.stamp,
            "job": {"S": self.job.job},
            "exp": encode_expiry(self._kept_until),
        }

    def to_items(self) -> "list[dict[str, AttributeValueTypeDef]]":
        """Return the items of a new subscription: itself, its pointer, and its expiry timer."""
        return [self.to_item(), self.pointer_item(), self.expiry_timer().to_item(KEPT_SECONDS)]

    def expiry_timer(self) -> Timer:
        """Return the timer that is due when it expires."""
        return Timer(EXPIRY, self.job, self.expires_at, self.subscription_id)


def subscription_key(job: JobKey, subscription_id: str) -> "dict[str, AttributeValueTypeDef]":
    """Return the primary key of a subscription."""
    return {"pk": {"S": job.partition}, "sk": {"S": subscription_id}}


def status_after(reason: EndReason) -> SubscriptionStatus:
    """Return the status of a subscription that ended for a reason."""
    return "Expired" if reason == "expired" else "Ended"
