"""The CPU time of starting and calling a function, as a ratio to that of its libraries alone."""

import base64
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from mangum import Mangum

from bench.metered_store import Bench
from bench.report import Report
from jobtrack.keys import JobKey
from jobtrack.store.snapshots import snapshot_key
from jobtrack_local.stack import load_function
from jobtrack_local.template import template

ROOT = template.PATH.parent
ROUNDS = 9
"""Number of starts of each. The minimum counts, because other work on the machine disturbs it least."""
CALLS, BLOCKS = 50, 12
"""Calls in a row, and the number of rows per handler; handlers take turns."""
COLD_LIMIT, WARM_LIMIT = 1.15, 1.5
AS_IN_THE_LAYER = "import sys; sys.modules['pydantic.v1'] = None"
"""The modules that layers/dependencies/Makefile leaves out."""
BASES = {
    "an API function": "import fastapi, mangum, boto3; boto3.client('dynamodb')",
    "a function without HTTP": "import boto3; boto3.client('dynamodb')",
}
Handler = Callable[[Any, Any], Any]


def measure_cold(report: Report) -> None:
    """Compare the slowest function of each kind with its limit, and print the ratio of every function."""
    folders = sorted({function.code_uri for function in template.load().functions.values()})
    imports = {folder: (f"{AS_IN_THE_LAYER}; import app", ROOT / folder) for folder in folders}
    imports |= {name: (code, ROOT) for name, code in BASES.items()}
    least = dict.fromkeys(imports, 9e9)
    for _ in range(ROUNDS):  # in turns, so that a slow moment affects all
        least = {name: min(least[name], _started(*imports[name])) for name in imports}
    for name in BASES:
        ratios = {folder: round(least[folder] / least[name], 2) for folder in folders if _kind(folder) == name}
        print(f"cold import of {name}: {json.dumps(ratios)}")
        slowest = max(ratios, key=lambda folder: ratios[folder])
        report.add(f"cold import of {name} ({slowest})", "× its libraries", ratios[slowest], COLD_LIMIT)


def measure_warm(bench: Bench, report: Report) -> None:
    """Compare `progress` with a route that does one GetItem and returns the item."""
    key, event = bench.job(), json.loads((ROOT / "events/get-progress.json").read_text())
    request = _about(event, key)
    os.environ["JOBS_TABLE"] = bench.jobs.table
    ours: Handler = load_function("functions/api/progress").handler
    handlers = {"ours": ours, "plain": _plain(bench, key)}
    least = dict.fromkeys(handlers, 9e9)
    for _ in range(BLOCKS):
        least = {name: min(least[name], _called(handler, request)) for name, handler in handlers.items()}
    ratio = round(least["ours"] / least["plain"], 2)
    report.add("a warm progress in the handler", "× one GetItem", ratio, WARM_LIMIT)


def _kind(folder: str) -> str:
    api, other = BASES
    return api if folder.startswith("functions/api/") else other


def _started(code: str, folder: Path) -> float:
    """Return the CPU seconds that an interpreter takes to run the code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=_environment(), check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _environment() -> Mapping[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "layers/jobtrack/python"),
    }


def _about(event: Any, key: JobKey) -> Any:
    """Return the sample event for another job."""
    ids, text = event["pathParameters"], json.dumps(event)
    for before, after in zip(
        (ids["tenantId"], ids["projectId"], ids["jobId"]), (key.tenant, key.project, key.job), strict=True
    ):
        text = text.replace(before, after)
    return json.loads(text)


def _plain(bench: Bench, key: JobKey) -> Handler:
    """Return a handler of FastAPI and Mangum that returns the job with one GetItem."""
    app = FastAPI()

    @app.get("/{path:path}")
    def read(path: str) -> dict[str, Any]:
        item = bench.jobs.dynamodb.get_item(TableName=bench.jobs.table, Key=snapshot_key(key), ConsistentRead=True)[
            "Item"
        ]
        values = {name: next(iter(value.values())) for name, value in item.items()}
        return {name: base64.b64encode(one) if isinstance(one, bytes) else one for name, one in values.items()}

    return Mangum(app, lifespan="off")


def _called(handler: Handler, event: Any) -> float:
    """Return the CPU seconds of a series of calls."""
    before = time.process_time()
    for _ in range(CALLS):
        if (answer := handler(event, None))["statusCode"] != 200:
            raise AssertionError(answer["body"])
    return time.process_time() - before
