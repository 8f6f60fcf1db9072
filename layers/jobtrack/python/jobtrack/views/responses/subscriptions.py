"""`POST …/job/{jobId}/subscribe` and the responses about existing subscriptions."""

from typing import NotRequired

from typing_extensions import TypedDict

from jobtrack.domain.event_text import Language
from jobtrack.domain.events import EventName
from jobtrack.domain.subscription_states import EndReason, SubscriptionStatus, SubscriptionType
from jobtrack.views.responses.fields import Cursor, Id, Time, WholePercent


class Filters(TypedDict):
    """Which of the subscribed events are pushed."""

    minProgressIncrement: WholePercent
    includeDebugEvents: bool
    notifyOnErrors: bool


class Subscription(TypedDict):
    """A receiver of a job's events."""

    subscriptionId: str
    jobId: Id
    subscriptionType: SubscriptionType
    status: SubscriptionStatus
    endReason: EndReason | None
    """Why the subscription has ended"""
    webhookUrl: str | None
    """`null` for WebSockets"""
    eventsSubscribed: list[EventName]
    filters: Filters
    language: Language
    """Language of the messages' descriptions"""
    createdAt: Time
    expiresAt: Time


class NewSubscription(Subscription):
    """A new subscription, with the secret that only its creator gets."""

    signingSecret: NotRequired[str]
    """Signs the messages of a webhook (Standard Webhooks 1.0). It is returned only here"""
    websocketUrl: NotRequired[str]
    """Where to connect a WebSocket, once, within 60 seconds"""


class Subscriptions(TypedDict):
    """A page of the job's subscriptions, including those that ended within the last week."""

    subscriptions: list[Subscription]
    nextCursor: Cursor


class NewSecret(TypedDict):
    """The new signing secret."""

    signingSecret: str
    """Signs from now on. The previous secret also signs for 24 hours"""


class NewTicket(TypedDict):
    """The URL for one more connection."""

    websocketUrl: str
    """For one connection, within 60 seconds"""
