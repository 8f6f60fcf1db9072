"""The states and types of subscriptions and deliveries."""

from enum import StrEnum
from typing import Literal

SubscriptionType = Literal["webhook", "websocket"]
SubscriptionStatus = Literal["Active", "Ended", "Expired"]
EndReason = Literal["expired", "deleted", "gone"]
"""`gone`: the receiver returned 410."""


class DeliveryStatus(StrEnum):
    """The state of a delivery."""

    PENDING = "Pending"
    """An attempt is still to be made."""
    DELIVERED = "Delivered"
    FAILED = "Failed"
    """The last attempt failed, and none follows."""
    SKIPPED = "Skipped"
    """Not attempted: the subscription has ended, or the circuit breaker is open and the message waits."""
