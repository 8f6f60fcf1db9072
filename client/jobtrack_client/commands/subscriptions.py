"""The commands `subscribe`, `subscriptions` and `unsubscribe`."""

from typing import Annotated

import typer

from jobtrack_client import models
from jobtrack_client.commands.options import LATEST, Events, Job, Json, duration
from jobtrack_client.commands.output import clock, present, show_line, show_rows
from jobtrack_client.commands.service import connected, job_id, language

COLUMNS = ("SUBSCRIPTION", "TYPE", "STATUS", "EXPIRES", "TO", "EVENTS")


def subscribe(
    url: Annotated[str, typer.Option("--url", "-u", help="Push to this URL: https, or http on this machine.")],
    job: Job = LATEST,
    event: Events = None,
    expires: Annotated[
        int | None, typer.Option(parser=duration, metavar="DURATION", help="Expire after this duration. [default: 8h]")
    ] = None,
    since_sequence: Annotated[
        int | None, typer.Option(min=0, help="Push the events after this sequence first.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Push a job's events to a webhook, and print the secret that signs them."""
    with connected() as client:
        subscription = client.subscribe(
            job_id(client, job),
            subscription_type="webhook",
            webhook_url=url,
            events=event,
            language=language(),
            expires_in_seconds=expires,
            since_sequence=since_sequence,
        )
    present(subscription, as_json, _show_new)


def _show_new(subscription: models.NewSubscription) -> None:
    show_line(f"subscription: {subscription['subscriptionId']}")
    show_line(f"signing secret: {subscription['signingSecret']}")
    show_line(f"events: {', '.join(subscription['eventsSubscribed'])}")
    show_line(f"until: {clock(subscription['expiresAt'])}")


def subscriptions(job: Job = LATEST, as_json: Json = False) -> None:
    """List the subscriptions of a job."""
    with connected() as client:
        rows = list(client.iter_subscriptions(job_id(client, job)))
    present(rows, as_json, _show_all)


def _show_all(subscriptions: list[models.Subscription]) -> None:
    rows = [
        (
            *(
                subscription["subscriptionId"],
                subscription["subscriptionType"],
                subscription["status"],
                clock(subscription["expiresAt"]),
            ),
            *(subscription["webhookUrl"], ",".join(subscription["eventsSubscribed"])),
        )
        for subscription in subscriptions
    ]
    show_rows(COLUMNS, rows, "No subscriptions.")


def unsubscribe(
    subscription: Annotated[str, typer.Argument(metavar="SUBSCRIPTION", help="The id of the subscription.")],
) -> None:
    """End a subscription."""
    with connected() as client:
        client.delete_subscription(subscription)
