"""The request bodies that create and renew subscriptions."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from jobtrack import limits
from jobtrack.api.schemas.fields import Model
from jobtrack.domain.event_text import DEFAULT_LANGUAGE, Language
from jobtrack.domain.events import EventName
from jobtrack.domain.subscription_states import SubscriptionType
from jobtrack.push.egress.urls import URL_CHARACTERS
from jobtrack.push.subscriptions.subscription import DEFAULT_EVENTS, Filters
from jobtrack.push.subscriptions.subscription_spec import LIFETIME_SECONDS, SubscriptionSpec

LONGEST_LIFETIME_SECONDS = 7 * 24 * 3600
TOKEN_CHARACTERS = 2048

Lifetime = Annotated[int, Field(ge=1, le=LONGEST_LIFETIME_SECONDS)]


class FiltersRequest(Model):
    """Which of the subscribed events are pushed."""

    min_progress_increment: Annotated[int, Field(ge=0, le=100)] = 0
    include_debug_events: bool = False
    notify_on_errors: bool = False

    def filters(self) -> Filters:
        """Return the filters of the subscription."""
        return Filters(self.min_progress_increment, self.include_debug_events, self.notify_on_errors)


class Authentication(Model):
    """The receiver's authentication. The token is visible ASCII, since it is sent in a header."""

    type: Literal["bearer"]
    token: Annotated[str, StringConstraints(min_length=1, max_length=TOKEN_CHARACTERS, pattern=r"^[!-~]+$")]


class SubscribeRequest(Model):
    """The request body of `subscribe`."""

    subscription_type: SubscriptionType
    webhook_url: Annotated[str, StringConstraints(min_length=1, max_length=URL_CHARACTERS)] | None = None
    events: Annotated[list[EventName], Field(max_length=100)] | None = None
    filters: FiltersRequest | None = None
    authentication: Authentication | None = None
    language: Language | None = None
    expires_in_seconds: Lifetime | None = None
    since_sequence: Annotated[int, Field(ge=0, le=limits.NUMBER)] | None = None

    def spec(self) -> SubscriptionSpec:
        """Return the requested subscription, with the defaults of the specification."""
        return SubscriptionSpec(
            type=self.subscription_type,
            url=self.webhook_url,
            events=tuple(dict.fromkeys(self.events)) if self.events else DEFAULT_EVENTS,
            filters=self.filters.filters() if self.filters else Filters(),
            language=self.language or DEFAULT_LANGUAGE,
            lifetime=self.expires_in_seconds or LIFETIME_SECONDS,
            since=self.since_sequence,
            token=self.authentication.token if self.authentication else None,
        )


class RenewRequest(Model):
    """The request body of `renew`."""

    expires_in_seconds: Lifetime = LIFETIME_SECONDS


JobSubscriptions = Annotated[list[SubscribeRequest], Field(max_length=limits.LIVE_SUBSCRIPTIONS)]
"""The subscriptions to create with a job."""
