"""What `sam local` needs to run the functions that were built against an engine on this machine.

It gives a function in a container only variables that the template names. So beside the file of their values there is
a copy of the built template that names those by which boto3 finds the engine.
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
"""`sam local` has no WebSocket API: posts to connections find nobody."""

Variables = Mapping[str, Mapping[str, str]]
"""Function → its environment variables."""


def run(engine: str, wait: Callable[[], object], build: Path = BUILD) -> None:
    """Start the engine, make what template.yaml wants on it, write both files, and keep it until `wait` returns.

    Raises:
        LocalError: nothing was built, or the engine does not start.
    """
    with engines.running(engine, None) as found:
        environment.point_boto3_at(found, os.environ)
        plan = template.load()
        values = variables(plan, provision(plan), found)
        write(build, values)
        print(_words(build), flush=True)
        wait()


def variables(plan: Template, names: Names, found: Engines) -> Variables:
    """What each function is told: by the template, and of the engine."""
    own = environment.own_settings(NOWHERE, "connections")
    told = {**environment.emulated(found), **own}
    return {name: {**told, **plan.variables(name, names, own)} for name in plan.functions}


def write(build: Path, values: Variables) -> None:
    """Write the values, and the template that names all of them; LocalError when nothing was built."""
    if not (build / "template.yaml").is_file():
        raise LocalError("nothing is built yet: run make build")
    document = _named((build / "template.yaml").read_text(), values)
    with folders.telling(f"write to {build}"):
        (build / TEMPLATE).write_text(document)
        (build / VALUES).write_text(json.dumps(values, indent=2))


def _named(text: str, values: Variables) -> str:
    """The built template, each function naming the variables that it is given."""
    document: dict[str, Any] = yaml.safe_load(text)
    for function, given in values.items():
        properties = document["Resources"][function]["Properties"]
        stated = properties.setdefault("Environment", {}).setdefault("Variables", {})
        stated.update({name: "" for name in given if name not in stated})
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _words(build: Path) -> str:
    place = Path(os.path.relpath(build))
    options = f"--template {place / TEMPLATE} --env-vars {place / VALUES} --docker-network host"
    return f"""The engine runs until Ctrl-C. In another terminal, with Docker and these credentials:
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1
  sam local invoke {options} --event events/create-job.json JobsFunction
  sam local start-api {options}"""
