"""Measure one POST in a process of its own: `python -m tests.faults.measured` with a case as JSON."""

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
    """The result of the POST, its seconds, and the resources that its process used or kept."""

    outcome: int | str
    seconds: float
    grown: int
    """Growth of the peak resident memory in bytes, as the kernel reports it."""
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
    """POST to the target with this deadline, after one to `warm` that imports everything a first POST imports.

    A `naive` one reads the response, up to 64 MiB.
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
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak; ru_maxrss would start with the parent's
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
