"""schemathesis makes thousands of valid and invalid requests from the API's description, and checks the responses.

All of its checks but one are on: no 5xx; no status, media type, header or body without description; valid requests
are accepted and invalid ones refused; nothing without a token. Its phases: examples, the edges of every value, random
values, and walks along the links. `--examples 300` makes it a long run, with other values each time.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.running import running
from tests.stack import ROOT

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
USUAL_EXAMPLES = 15
SECONDS_AN_EXAMPLE = 60


def test_every_answer_is_as_described(
    engine: str, home: Path, tmp_path: Path, pytestconfig: pytest.Config, tally: Callable[[int, str], None]
) -> None:
    if engine != "sqlite":
        pytest.skip("what is described does not depend on the engine")
    examples, tenant, project = int(pytestconfig.getoption("--examples")), str(uuid4()), str(uuid4())
    report = tmp_path / "report.json"
    with running(home, engine) as service:
        told = {
            "FUZZED_TENANT": tenant,
            "FUZZED_PROJECT": project,
            "FUZZED_TOKEN": service.token(tenant),
            "FUZZED_BASE": f"{service.url}/api/{tenant}/{project}/execution",
        }
        run = subprocess.run(
            [
                SCHEMATHESIS, f"--config-file={CONFIGURATION}", "run", f"{service.url}/openapi.json", "--no-color",
                f"--max-examples={examples}", f"--report-json-path={report}",
                *(["--generation-deterministic"] if examples == USUAL_EXAMPLES else []),
            ],
            cwd=ROOT,
            env={**os.environ, **told},
            capture_output=True,
            text=True,
            timeout=examples * SECONDS_AN_EXAMPLE,
        )  # fmt: skip
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr
    found = json.loads(report.read_text())
    assert found["complete"]
    assert found["operations"]["tested"] == found["operations"]["total"]
    assert (found["errors"], found["failures"]) == ([], [])
    assert found["test_cases"]["generated"] > 100 * examples
    tally(found["test_cases"]["generated"], "requests of schemathesis, all answered as described")
