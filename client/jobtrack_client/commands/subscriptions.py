"""Having a job's events pushed."""

from typing import Annotated

import typer

from jobtrack_client import models
from jobtrack_client.commands.options import LATEST, Events, Job, Json, duration, event_names
from jobtrack_client.commands.output import clock, present, show_line, show_rows
from jobtrack_client.commands.service import connected, job_id, language

COLUMNS = ("SUBSCRIPTION", "TYPE", "STATUS", "EXPIRES", "TO", "EVENTS")


def subscribe(
    url: Annotated[str, typer.Option("--url", "-u", help="Where to push: https, or http on this machine.")],
    job: Job = LATEST,
    event: Events = None,
    expires: Annotated[int | None, typer.Option(parser=duration, metavar="DURATION", help="In so long. [8h]")] = None,
    since_sequence: Annotated[int | None, typer.Option(min=0, help="Push first what happened after it.")] = None,
    as_json: Json = False,
) -> None:
    """Have a job's events pushed to a webhook; prints the secret that signs them."""
    with connected() as client:
        subscription = client.subscribe(
            job_id(client, job),
            subscription_type="webhook",
            webhook_url=url,
            events=event_names(event),
            language=language(),
            expires_in_seconds=expires,
            since_sequence=since_sequence,
        )
    present(subscription, as_json, _show_new)


def _show_new(made: models.NewSubscription) -> None:
    show_line(f"subscription: {made['subscriptionId']}")
    show_line(f"signing secret: {made['signingSecret']}")
    show_line(f"events: {', '.join(made['eventsSubscribed'])}")
    show_line(f"until: {clock(made['expiresAt'])}")


def subscriptions(job: Job = LATEST, as_json: Json = False) -> None:
    """List a job's subscriptions."""
    with connected() as client:
        found = list(client.iter_subscriptions(job_id(client, job)))
    present(found, as_json, _show_all)


def _show_all(found: list[models.Subscription]) -> None:
    rows = [
        (
            *(each["subscriptionId"], each["subscriptionType"], each["status"], clock(each["expiresAt"])),
            *(each["webhookUrl"], ",".join(each["eventsSubscribed"])),
        )
        for each in found
    ]
    show_rows(COLUMNS, rows, "No subscriptions.")


def unsubscribe(subscription: str) -> None:
    """End a subscription."""
    with connected() as client:
        client.delete_subscription(subscription)
