"""A subscription: who wants which of a job's events pushed where, and until when."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Self, cast

from msgspec import Struct
from msgspec.structs import replace

from jobtrack import times
from jobtrack.domain.event_text import Language
from jobtrack.domain.events import EventName
from jobtrack.domain.journal import packing
from jobtrack.domain.push import EndReason, SubscriptionStatus, SubscriptionType
from jobtrack.keys import JobKey
from jobtrack.push.subscriptions.stream_state import StreamState
from jobtrack.store.outbox_records import OutboxEvent
from jobtrack.store.timers import EXPIRY, Timer

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from jobtrack.views.responses import subscriptions as responses

KEPT_SECONDS = 7 * 24 * 3600
"""How long a subscription can be read after it expired: as long as its deliveries."""
DEFAULT_EVENTS: tuple[EventName, ...] = (
    "stageStarted",
    "stageCompleted",
    "progressUpdate",
    "error",
    "warning",
    "jobCompleted",
)
ERROR_EVENTS: tuple[EventName, ...] = ("error", "stageFailed", "jobFailed")
"""Pushed with `notifyOnErrors`, whether subscribed to or not."""
_LOG_EVENTS = {"WARN": "warning", "ERROR": "error"}


class Filters(Struct, frozen=True):
    """Which of the subscribed events are pushed."""

    min_progress_increment: int = 0
    include_debug_events: bool = False
    notify_on_errors: bool = False


class Subscription(Struct, frozen=True):
    """One subscription of a job; times in epoch seconds. A webhook has secrets, sealed; a WebSocket has a cursor."""

    job: JobKey
    subscription_id: str
    type: SubscriptionType
    url: str | None
    events: tuple[EventName, ...]
    filters: Filters
    language: Language
    created_at: int
    expires_at: int
    sealed: bytes
    status: SubscriptionStatus = "Active"
    end_reason: EndReason | None = None
    stream: StreamState | None = None

    def __repr__(self) -> str:
        """Without the secrets, since this may be logged."""
        return f"Subscription({self.subscription_id}, {self.job})"

    def live(self, now: float) -> bool:
        """Whether events may be pushed at this moment."""
        return self.status == "Active" and now < self.expires_at

    def ended(self, reason: EndReason) -> Self:
        """The subscription after its end."""
        return replace(self, status=status_after(reason), end_reason=reason)

    def interests(self) -> frozenset[str]:
        """The kinds of reported event that could be wanted; a log line's kind tells its level, as in `log.WARN`."""
        levels = {level for level in ("DEBUG", "INFO", "WARN", "ERROR") if self._wanted_log(level)}
        return frozenset(self._subscribed() - {"log"} | {f"log.{level}" for level in levels})

    def wants(self, event: OutboxEvent) -> str | None:
        """The type to push the event under, or None; the same for the same event, however often it is asked."""
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

    def response(self, now: float) -> "responses.Subscription":
        """Return the subscription as the API shows it, without secrets; `now` in epoch seconds."""
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
            "createdAt": times.render(self.created_at * times.SECOND),
            "expiresAt": times.render(self.expires_at * times.SECOND),
        }

    def item(self) -> "dict[str, AttributeValueTypeDef]":
        """The subscription as stored; what a later change touches has an attribute of its own."""
        end: dict[str, AttributeValueTypeDef] = {"endReason": {"S": self.end_reason}} if self.end_reason else {}
        return {
            **key(self.job, self.subscription_id),
            **end,
            **({"secrets": {"B": self.sealed}} if self.sealed else {}),
            **(self.stream.item() if self.stream else {}),
            "status": {"S": self.status},
            "createdAt": {"N": str(self.created_at)},
            "expiresAt": {"N": str(self.expires_at)},
            "exp": {"N": str(self.expires_at + KEPT_SECONDS)},
            "d": {"B": packing.pack(self._details())},
        }

    def _details(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "url": self.url,
            "events": self.events,
            "filters": self.filters,
            "language": self.language,
        }

    @classmethod
    def load(cls, item: "Mapping[str, AttributeValueTypeDef]") -> Self:
        """Read what was stored."""
        details = packing.unpack(bytes(item["d"]["B"]))
        return cls(
            job=JobKey.from_partition(item["pk"]["S"]),
            subscription_id=item["sk"]["S"],
            type=details["type"],
            url=details["url"],
            events=tuple(details["events"]),
            filters=Filters(**details["filters"]),
            language=details["language"],
            created_at=int(item["createdAt"]["N"]),
            expires_at=int(item["expiresAt"]["N"]),
            sealed=bytes(item["secrets"]["B"]) if "secrets" in item else b"",
            status=cast(SubscriptionStatus, item["status"]["S"]),
            end_reason=cast(EndReason, item["endReason"]["S"]) if "endReason" in item else None,
            stream=StreamState.load(item),
        )

    def pointer(self) -> "dict[str, AttributeValueTypeDef]":
        """The item that leads from the subscription's id to its job."""
        return {
            "pk": {"S": self.job.owner.partition},
            "sk": {"S": self.subscription_id},
            "job": {"S": self.job.job},
            "exp": {"N": str(self.expires_at + KEPT_SECONDS)},
        }

    def items(self) -> "list[dict[str, AttributeValueTypeDef]]":
        """All that is stored of a new subscription: itself, its pointer, and when to look whether it expired."""
        return [self.item(), self.pointer(), self.expiry_timer().to_item(KEPT_SECONDS)]

    def expiry_timer(self) -> Timer:
        """When to look whether it has expired."""
        return Timer(EXPIRY, self.job, self.expires_at, self.subscription_id)


def key(job: JobKey, subscription_id: str) -> "dict[str, AttributeValueTypeDef]":
    """Where a subscription of the job is stored."""
    return {"pk": {"S": job.partition}, "sk": {"S": subscription_id}}


def status_after(reason: EndReason) -> SubscriptionStatus:
    """The status of a subscription that ended for that reason."""
    return "Expired" if reason == "expired" else "Ended"


def interests(subscriptions: Collection[Subscription]) -> frozenset[str]:
    """The reported types of event that any of the subscriptions could want."""
    return frozenset[str]().union(*(subscription.interests() for subscription in subscriptions))
