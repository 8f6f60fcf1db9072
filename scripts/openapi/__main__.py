"""Write functions/api/docs/openapi.json: `make openapi`."""

import json
import os
import tomllib

from jobtrack_local.gateway import app
from jobtrack_local.template import intrinsics, template
from scripts.openapi.document import document
from scripts.openapi.operations import ROOT

PATH = ROOT / "functions" / "api" / "docs" / "openapi.json"


def text() -> str:
    """Return the text of the document. This imports every function of the API."""
    plan = template.load()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    return json.dumps(document(app.routers(plan), plan.routes, version), ensure_ascii=False, indent=1) + "\n"


def _set_environment() -> None:
    """Set what the functions read when they are imported. They call nothing."""
    plan = template.load()
    names = intrinsics.Names(
        refs={**plan.defaults, **{name: name for name in (*plan.tables, *plan.queues)}},
        attributes={(name, "Arn"): name for name in plan.keys},
    )
    elsewhere = {"WEBSOCKET_URL": "wss://ws.example/live", "WEBSOCKET_ENDPOINT": "https://ws.example/live"}
    os.environ |= {"AWS_DEFAULT_REGION": "us-east-1", **plan.environment(names, elsewhere)}


if __name__ == "__main__":
    _set_environment()
    PATH.write_text(text())
