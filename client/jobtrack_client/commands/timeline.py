"""The command `timeline`."""

from typing import Annotated

import typer

from jobtrack_client import models
from jobtrack_client.commands.options import LATEST, Job, Json
from jobtrack_client.commands.output import clock, present, show_rows
from jobtrack_client.commands.service import connected, job_id
from jobtrack_client.types import Granularity

COLUMNS = ("TIME", "EVENT", "DESCRIPTION")


def timeline(
    job: Job = LATEST,
    granularity: Annotated[
        Granularity, typer.Option("--granularity", "-g", help="How precise the times are.")
    ] = "minutes",
    sub_events: Annotated[bool, typer.Option("--sub-events", help="Include warnings, errors and resources.")] = False,
    as_json: Json = False,
) -> None:
    """Print the events of a job, oldest first, and the expected events."""
    with connected() as client:
        identity = job_id(client, job)
        page = client.timeline(identity, granularity=granularity, include_sub_events=sub_events)
        while (cursor := page["nextCursor"]) is not None:
            more = client.timeline(identity, granularity=granularity, include_sub_events=sub_events, cursor=cursor)
            page["timeline"] += more["timeline"]
            page["nextCursor"] = more["nextCursor"]
    present(page, as_json, _show)


def _show(page: models.Timeline) -> None:
    past = [(clock(event["timestamp"]), event["eventType"], event["description"]) for event in page["timeline"]]
    expected = [
        (clock(event["estimatedTime"]), f"({event['eventType']})", event["description"])
        for event in page["upcomingEvents"]
    ]
    show_rows(COLUMNS, past + expected, "No events.")
