"""The members of a request for a subscription."""

from msgspec import Struct

from jobtrack.domain.event_text import DEFAULT_LANGUAGE, Language
from jobtrack.domain.events import EventName
from jobtrack.domain.subscription_states import SubscriptionType
from jobtrack.push.subscriptions.subscription import DEFAULT_EVENTS, Filters

LIFETIME_SECONDS = 8 * 3600


class SubscriptionSpec(Struct, frozen=True):
    """A requested subscription. `SubscriptionFactory` checks what depends on its type and on the stack.

    Args:
        type: how messages reach the receiver.
        url: the URL of a webhook.
        events: the subscribed events, without duplicates.
        filters: which of the events are pushed.
        language: the language of the descriptions.
        lifetime: seconds until the subscription expires.
        since: the sequence after which events are wanted; by default the job's last one.
        token: the bearer token that the receiver of a webhook expects.
    """

    type: SubscriptionType
    url: str | None = None
    events: tuple[EventName, ...] = DEFAULT_EVENTS
    filters: Filters = Filters()
    language: Language = DEFAULT_LANGUAGE
    lifetime: int = LIFETIME_SECONDS
    since: int | None = None
    token: str | None = None

    def __repr__(self) -> str:
        """Without the token, since this may be logged."""
        return f"SubscriptionSpec({self.type}, {', '.join(self.events)})"
