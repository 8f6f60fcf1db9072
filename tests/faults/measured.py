"""One POST in a process of its own, and what it took: `python -m tests.faults.measured` and a case as JSON."""

import gc
import json
import os
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from msgspec import structs

from jobtrack.push.egress.guarded_post import DEADLINE_SECONDS, Egress, EgressError
from jobtrack.push.egress.urls import WebhookUrl
from tests.receivers import post

ROOT = Path(__file__).parents[2]
NAIVE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Measured:
    """What came of the POST, how long it took in seconds, and what its process took for it or kept of it."""

    outcome: int | str
    seconds: float
    grown: int
    """Bytes by which the resident memory peaked above what it was before, by the kernel's own account."""
    descriptors: int
    threads: int


def measured(
    target: WebhookUrl,
    warm: WebhookUrl,
    seconds: float = DEADLINE_SECONDS,
    addresses: Sequence[str] = ("127.0.0.1",),
    authority: Path | None = None,
    naive: bool = False,
) -> Measured:
    """POST to the target with this deadline, after one to `warm` that loads what any first one loads.

    A `naive` one reads what is answered, up to 64 MiB.
    """
    case = {
        "targets": [structs.asdict(warm), structs.asdict(target)],
        "seconds": seconds,
        "addresses": addresses,
        "authority": str(authority) if authority else None,
        "naive": naive,
    }
    command = [sys.executable, "-W", "always::ResourceWarning", "-m", "tests.faults.measured", json.dumps(case)]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (made.returncode, made.stderr) == (0, "")
    return Measured(**json.loads(made.stdout))


def _main() -> None:
    case = json.loads(sys.argv[1])
    warm, target = (WebhookUrl(**each) for each in case["targets"])
    tls = ssl.create_default_context(cafile=case["authority"])
    egress = Egress(True, lambda host, port: list(case["addresses"]), tls, case["seconds"])
    assert _posted(egress, warm) == 200
    call = (lambda: _read(target)) if case["naive"] else (lambda: _posted(egress, target))
    print(json.dumps(asdict(_measured(call))))


def _measured(call: Callable[[], int | str]) -> Measured:
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far; ru_maxrss would begin with our parent's
    memory, descriptors, threads = _memory("VmRSS"), _descriptors(), threading.active_count()
    started = time.monotonic()
    outcome = call()
    return Measured(
        outcome,
        time.monotonic() - started,
        _memory("VmHWM") - memory,
        _descriptors() - descriptors,
        threading.active_count() - threads,
    )


def _posted(egress: Egress, target: WebhookUrl) -> int | str:
    try:
        return post(egress, target, {}, b"{}").status
    except EgressError as error:
        return str(error)


def _read(target: WebhookUrl) -> int:
    with urllib.request.urlopen(f"http://{target.authority}{target.path}", b"{}", timeout=10) as answer:
        return len(answer.read(NAIVE_BYTES))


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * 1024


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


if __name__ == "__main__":
    _main()
