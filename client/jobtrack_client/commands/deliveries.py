"""What became of the messages of a subscription."""

from itertools import islice
from typing import Annotated

import typer

from jobtrack_client import models
from jobtrack_client.commands.options import Json
from jobtrack_client.commands.output import clock, present, show_line, show_rows
from jobtrack_client.commands.service import connected

COLUMNS = ("MESSAGE", "SEQUENCE", "TYPE", "STATUS", "ATTEMPTS", "LAST", "ANSWER")


def deliveries(
    subscription: Annotated[str, typer.Argument(help="The subscription's id.")],
    retry: Annotated[str | None, typer.Option(metavar="MESSAGE", help="Have this message pushed again.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List a subscription's messages, the newest first, with what became of each; or have one pushed again."""
    with connected() as client:
        if retry is not None:
            owed = client.retry_delivery(subscription, retry)
            return present(owed, as_json, lambda owed: show_line(f"{owed['messageId']} will be pushed again"))
        found = list(islice(client.iter_deliveries(subscription), limit))
    present(found, as_json, lambda found: show_rows(COLUMNS, map(_row, found), "No messages."))


def _row(delivery: models.Delivery) -> tuple[object, ...]:
    attempts = delivery["attempts"]
    last = attempts[-1] if attempts else None
    answer = None if last is None else last["error"] or last["statusCode"]
    return (
        *(delivery["messageId"], delivery["sequence"], delivery["type"], delivery["status"]),
        *(len(attempts), clock(last["time"]) if last else None, answer),
    )
