"""Reading a job's logs by cursor returns each line once, while others write."""

import json
import random
import threading
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest

from jobtrack import times
from tests.e2e.reporting import Json, create, faults, got, line, messages, reported

LEVELS = ["DEBUG", "INFO", "WARN", "ERROR"]


def walk(api: httpx.Client, job: str, **query: Any) -> Iterator[list[Json]]:
    """Yield page after page."""
    cursor: str | None = None
    while True:
        page = got(api, f"/job/{job}/logs", **query, **({"cursor": cursor} if cursor else {}))
        yield page["logs"]
        cursor = page["nextCursor"]
        if cursor is None:
            return


@pytest.mark.parametrize("direction", ["backward", "forward"])
@pytest.mark.parametrize(("limit", "level"), [(1, "ERROR"), (7, "DEBUG"), (100, "INFO"), (300, "DEBUG")])
def test_a_walk_gives_each_line_once_in_order(api: httpx.Client, direction: str, limit: int, level: str) -> None:
    job, rng = create(api), random.Random(f"{direction}{limit}")
    sent: list[tuple[str, int, str, str]] = []
    for batch in range(3):
        lines = []
        for number in range(100):
            at = f"2024-01-20T10:{rng.randrange(10, 12)}:{rng.randrange(10, 60)}Z"
            lines.append((rng.choice([*LEVELS, "INFO", "INFO"]), at, f"{batch}/{number} {rng.getrandbits(100):x}"))
        reported(api, job, *(line(text, at, of) for of, at, text in lines))
        sent += [(at, number, text, of) for number, (of, at, text) in enumerate(lines, len(sent))]
    wanted = [text for _, _, text, of in sorted(sent) if LEVELS.index(of) >= LEVELS.index(level)]
    if limit == 1:
        wanted = wanted[-5:] if direction == "backward" else wanted[:5]
    pages = []
    for page in walk(api, job, limit=limit, level=level, direction=direction):
        pages.append([entry["message"] for entry in page])
        if limit == 1 and len(pages) == 5:
            break
    if direction == "backward":
        pages.reverse()
    assert [text for page in pages for text in page] == wanted
    assert all(len(page) <= limit for page in pages)


@pytest.mark.parametrize("direction", ["backward", "forward"])
def test_a_walk_while_others_write_gives_each_earlier_line_once(api: httpx.Client, direction: str) -> None:
    job, moment = create(api), times.parse("2024-01-20T10:30:00Z")
    early = [f"{number}" for number in range(150)]
    reported(api, job, *(line(text, times.render(times.add_seconds(moment, int(text)))) for text in early))
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            late = times.render(times.add_seconds(moment, number * 37 % 200 - 20))
            reported(api, job, line(f"late {number}", late), line("filler " * 30, late, "ERROR"))
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        pages = list(walk(api, job, limit=20, direction=direction))
    finally:
        done.set()
        writer.join()
    seen = [entry for page in pages for entry in page]
    assert sorted((entry["message"] for entry in seen if entry["message"].isdigit()), key=int) == early
    assert len({entry["sequence"] for entry in seen}) == len(seen)
    for page in pages:
        places = [(times.parse(entry["timestamp"]), entry["sequence"]) for entry in page]
        assert all(before < after for before, after in pairwise(places))


def test_a_cursor_holds_for_its_job_and_direction_and_unchanged(api: httpx.Client) -> None:
    job = create(api)
    reported(api, job, line("first"), line("second"))
    cursor = got(api, f"/job/{job}/logs", limit=1)["nextCursor"]
    twin = create(api, jobId=job[:-1] + ("0" if job[-1] != "0" else "1"))
    reported(api, twin, line("another"))
    refused = [(twin, cursor, "backward"), (job, cursor, "forward"), (job, cursor[:-1], "backward")]
    refused += [
        (job, cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :], "backward")
        for at in range(len(cursor))
    ]
    refused += [
        (job, text, "backward") for text in (cursor + "A", cursor + "=", "é", "\x00", " " + cursor, "W10", "bnVsbA")
    ]
    for of, changed, direction in refused:
        answer = api.get(f"/job/{of}/logs", params={"cursor": changed, "direction": direction})
        assert set(faults(answer)) == {"/query/cursor"}
    assert messages(api, job, cursor=cursor, limit=1) == ["first"]
    assert messages(api, job.upper(), cursor=cursor, limit=1) == ["first"]


def test_ten_thousand_lines_come_in_one_answer(api: httpx.Client) -> None:
    job = create(api)
    for batch in range(20):
        reported(api, job, *(line(f"{batch * 500 + number}") for number in range(500)))
    assert messages(api, job, limit=10_000) == [str(number) for number in range(10_000)]
    assert got(api, f"/job/{job}/logs", limit=10_000)["nextCursor"] is None


def test_what_would_not_fit_an_answer_of_lambdas_ends_early(api: httpx.Client) -> None:
    job, count = create(api), 180
    for batch in range(0, count, 30):
        reported(api, job, *(line(f"{number} {chr(34) * 15_000}") for number in range(batch, batch + 30)))
    seen: list[str] = []
    for page in walk(api, job, limit=10_000, direction="forward"):
        seen += [entry["message"].split()[0] for entry in page]
        assert len(json.dumps(json.dumps({"logs": page}, ensure_ascii=False))) < 6 * 1024 * 1024
    assert seen == [str(number) for number in range(count)]
