"""Run ministack for `sam local`, and write the files that functions need to reach it: `python -m scripts.sam_local`.

`sam local` passes only variables that the template names into a container. Therefore this script also writes a copy of
the built template, which names the variables by which boto3 finds the engine.
"""

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from jobtrack_local import environment, folders
from jobtrack_local.engine.engines import NOWHERE, endpoints
from jobtrack_local.engine.provision import provision
from jobtrack_local.errors import LocalError
from jobtrack_local.template import template
from jobtrack_local.template.intrinsics import Names
from jobtrack_local.template.template import Template
from scripts import ministack

SERVICES = "dynamodb,dynamodbstreams,sqs,kms"
BUILD = template.PATH.parent / ".aws-sam" / "build"
TEMPLATE, VALUES = "local.yaml", "local.json"
Variables = Mapping[str, Mapping[str, str]]
"""The environment variables of each function, by its logical id."""


def main() -> int:
    """Run until Ctrl-C, and return the exit code."""
    try:
        with suppress(KeyboardInterrupt):
            run(threading.Event().wait)
    except LocalError as error:
        print(f"make sam-local: {error}", file=sys.stderr)
        return 1
    return 0


def run(wait: Callable[[], object], build: Path = BUILD) -> None:
    """Start ministack, create the tables and queues of template.yaml on it, write both files, and call `wait`.

    Raises:
        LocalError: the functions were not built, or the engine did not start.
    """
    with ministack.running(SERVICES) as engine:
        url, plan = engine.url(), template.load()
        environment.point_botocore_at(endpoints(url, url), os.environ)
        values = variables(plan, provision(plan), url)
        write_files(build, values)
        print(_instructions(build), flush=True)
        wait()


def variables(plan: Template, names: Names, url: str) -> Variables:
    """Return the variables of each function: those of the template, and those that lead to the engine at the URL."""
    own = environment.own_settings(NOWHERE, "connections")  # `sam local` has no WebSocket API
    shared = {**endpoints(url, url), **own}
    return {name: {**shared, **plan.variables(name, names, own)} for name in plan.functions}


def write_files(build: Path, values: Variables) -> None:
    """Write the values, and the template that names all of them.

    Raises:
        LocalError: the functions were not built.
    """
    if not (build / "template.yaml").is_file():
        raise LocalError("the functions are not built: run make build")
    document = _name_variables((build / "template.yaml").read_text(), values)
    with folders.describe_errors(f"write to {build}"):
        (build / TEMPLATE).write_text(document)
        (build / VALUES).write_text(json.dumps(values, indent=2))


def _name_variables(text: str, values: Variables) -> str:
    """Return the built template, in which each function names all variables that it receives."""
    document: dict[str, Any] = yaml.safe_load(text)
    for function, variables in values.items():
        properties = document["Resources"][function]["Properties"]
        stated = properties.setdefault("Environment", {}).setdefault("Variables", {})
        stated.update({name: "" for name in variables if name not in stated})
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _instructions(build: Path) -> str:
    place = Path(os.path.relpath(build))
    options = f"--template {place / TEMPLATE} --env-vars {place / VALUES} --docker-network host"
    return f"""The engine runs until Ctrl-C. In another terminal, with Docker and these credentials:
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1
  sam local invoke {options} --event events/create-job.json JobsFunction
  sam local start-api {options}"""


if __name__ == "__main__":
    sys.exit(main())
