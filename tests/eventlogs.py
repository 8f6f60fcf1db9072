"""Generate event logs for tests (python tests/eventlogs.py FILE.csv): an order process, the same for the same seed."""

import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from random import Random

COLUMNS = ("case_id", "activity", "timestamp", "note")
PATH = ("Order received", "Credit checked", "Goods picked", "Goods packed", "Shipped", "Invoice sent", "Paid")
OFFSETS = (None, 0, 60, 330, 540, -210, -480)


def write_orders(path: Path, rows: int = 65_000, seed: int = 7) -> None:
    """Write a log with a number of records. About 1 % have no case, no time or an unreadable time."""
    random = Random(seed)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(COLUMNS)
        events = _events(random)
        writer.writerows(_spoiled(next(events), random) for _ in range(rows))


def _events(random: Random) -> Iterator[list[str]]:
    case, start = 0, datetime(2024, 1, 1, tzinfo=UTC)
    while True:
        case += 1
        start += timedelta(seconds=random.expovariate(1 / 900))
        moment = start
        for activity in _path(random):
            yield [f"ORD-{case:06d}", activity, _written(moment, random), 'said "ok", at once']
            moment += timedelta(seconds=random.expovariate(1 / _mean_wait(activity)))


def _path(random: Random) -> list[str]:
    path = list(PATH)
    if random.random() < 0.1:
        path[2:2] = ["Credit refused", "Credit checked"]
    if random.random() < 0.2:
        path.insert(len(path) - 1, "Reminder sent")
    return path


def _mean_wait(activity: str) -> float:
    return 20 * 86_400 if activity in ("Invoice sent", "Reminder sent") else 3 * 3_600


def _written(moment: datetime, random: Random) -> str:
    """Return ISO 8601 with Z or one of several offsets, and up to six digits of fraction."""
    offset = random.choice(OFFSETS)
    local = moment.astimezone(UTC if offset is None else timezone(timedelta(minutes=offset)))
    digits = random.choice((0, 3, 6))
    local = local.replace(microsecond=local.microsecond // 10 ** (6 - digits) * 10 ** (6 - digits))
    text = local.isoformat(timespec={0: "seconds", 3: "milliseconds", 6: "microseconds"}[digits])
    return text.replace("+00:00", "Z") if offset is None else text


def _spoiled(row: list[str], random: Random) -> list[str]:
    luck = random.random()
    if luck < 0.004:
        row[0] = ""
    elif luck < 0.007:
        row[2] = ""
    elif luck < 0.01:
        row[2] = f"{row[2][:10]} noon"
    return row


if __name__ == "__main__":
    write_orders(Path(sys.argv[1]))
