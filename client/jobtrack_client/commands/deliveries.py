"""The command `deliveries`."""

from itertools import islice
from typing import Annotated

import typer

from jobtrack_client import models
from jobtrack_client.commands.options import Json
from jobtrack_client.commands.output import clock, present, show_line, show_rows
from jobtrack_client.commands.service import connected

COLUMNS = ("MESSAGE", "SEQUENCE", "TYPE", "STATUS", "ATTEMPTS", "LAST", "RESULT")


def deliveries(
    subscription: Annotated[str, typer.Argument(help="The id of the subscription.")],
    retry: Annotated[str | None, typer.Option(metavar="MESSAGE", help="Push this message again.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Show at most N messages.")] = 50,
    as_json: Json = False,
) -> None:
    """List a subscription's messages and their results, newest first, or push a message again."""
    with connected() as client:
        if retry is not None:
            delivery = client.retry_delivery(subscription, retry)
            return present(delivery, as_json, lambda owed: show_line(f"{owed['messageId']} will be pushed again"))
        messages = list(islice(client.iter_deliveries(subscription), limit))
    present(messages, as_json, lambda messages: show_rows(COLUMNS, map(_row, messages), "No messages."))


def _row(delivery: models.Delivery) -> tuple[object, ...]:
    attempts = delivery["attempts"]
    last = attempts[-1] if attempts else None
    result = None if last is None else last["error"] or last["statusCode"]
    return (
        *(delivery["messageId"], delivery["sequence"], delivery["type"], delivery["status"]),
        *(len(attempts), clock(last["time"]) if last else None, result),
    )
