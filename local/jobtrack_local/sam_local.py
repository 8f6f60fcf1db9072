"""The files that `sam local` needs to run the built functions against an engine on this machine.

`sam local` passes only variables that the template names into a container. So besides the file of values, this writes a
copy of the built template that also names the variables by which boto3 finds the engine.
"""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from jobtrack_local import environment, folders
from jobtrack_local.engine import engines
from jobtrack_local.engine.engines import Engines
from jobtrack_local.engine.provision import provision
from jobtrack_local.errors import LocalError
from jobtrack_local.template import template
from jobtrack_local.template.intrinsics import Names
from jobtrack_local.template.template import Template

BUILD = template.PATH.parent / ".aws-sam" / "build"
TEMPLATE, VALUES = "local.yaml", "local.json"
NOWHERE = "http://127.0.0.1:9"
"""`sam local` has no WebSocket API: a post to a connection fails."""

Variables = Mapping[str, Mapping[str, str]]
"""The environment variables of each function, by its logical id."""


def run(engine: str, wait: Callable[[], object], build: Path = BUILD) -> None:
    """Start the engine, create the tables and queues of template.yaml on it, write both files, and call `wait`.

    Raises:
        LocalError: the functions were not built, or the engine did not start.
    """
    with engines.running(engine, None) as running_engines:
        environment.point_boto3_at(running_engines, os.environ)
        plan = template.load()
        values = variables(plan, provision(plan), running_engines)
        write_files(build, values)
        print(_instructions(build), flush=True)
        wait()


def variables(plan: Template, names: Names, running_engines: Engines) -> Variables:
    """Return the variables of each function: those of the template, and those of the engine."""
    own = environment.own_settings(NOWHERE, "connections")
    shared = {**environment.emulated(running_engines), **own}
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
