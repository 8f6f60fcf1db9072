"""Run every function under awslambdaric, Lambda's own runtime client, with an engine."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest

from jobtrack_local import environment
from jobtrack_local.engine.engines import endpoints
from jobtrack_local.engine.provision import provision
from jobtrack_local.template import template
from scripts import ministack, sam_local
from tests.runtime.process import Process
from tests.stack import ROOT

PLAN = template.load()
PROJECT = "1f0e8400-e29b-41d4-a716-446655440000"
"""The project of all samples."""

Sample = Callable[[str], Any]


@pytest.fixture(scope="session")
def variables() -> Iterator[sam_local.Variables]:
    """Return the variables of each function on ministack, as for `sam local`."""
    with pytest.MonkeyPatch.context() as patch, ministack.running(sam_local.SERVICES) as engine:
        url, wanted = engine.url(), dict(os.environ)
        environment.point_botocore_at(endpoints(url, url), wanted)
        for name in os.environ.keys() - wanted.keys():
            patch.delenv(name)
        for name, value in wanted.items():
            patch.setenv(name, value)
        yield sam_local.variables(PLAN, provision(PLAN), url)


@pytest.fixture(scope="session")
def functions(variables: sam_local.Variables) -> Iterator[Mapping[str, Process]]:
    """Provide a process for each function, started by its first invocation."""
    found = {name: Process(name, each, variables[name]) for name, each in PLAN.functions.items()}
    yield found
    for process in found.values():
        process.close()


@pytest.fixture
def sample() -> Sample:
    """Return a sample event for the test's own project."""
    project = str(uuid4())

    def read(name: str) -> Any:
        return json.loads((ROOT / "events" / f"{name}.json").read_text().replace(PROJECT, project))

    return read


@pytest.fixture
def job(functions: Mapping[str, Process], sample: Sample) -> Any:
    """Create the samples' job with its subscription, report on it, and return the response to its creation."""
    made = functions["JobsFunction"].invoke(sample("create-job")).body
    assert functions["EventsFunction"].invoke(sample("report-events")).json["statusCode"] == 202
    return made
