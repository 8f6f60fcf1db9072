"""The query strings of the reads about subscriptions."""

from typing import Annotated

from pydantic import Field

from jobtrack import limits
from jobtrack.api.schemas.job_queries import Query


class SubscriptionsQuery(Query):
    """The query string of `GET …/job/{jobId}/subscriptions`."""

    limit: Annotated[int, Field(ge=1, le=limits.LISTED_SUBSCRIPTIONS)] = limits.LIVE_SUBSCRIPTIONS
    cursor: str | None = None


class DeliveriesQuery(Query):
    """The query string of `GET …/deliveries`."""

    limit: Annotated[int, Field(ge=1, le=limits.LISTED_DELIVERIES)] = limits.LISTED_DELIVERIES_DEFAULT
    cursor: str | None = None
