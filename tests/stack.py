"""template.yaml, as tests read it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from jobtrack_local.template import intrinsics
from scripts import policies

ROOT = Path(__file__).parents[1]
TEMPLATE = cast("dict[str, Any]", intrinsics.read(ROOT / "template.yaml"))
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
GLOBALS: dict[str, Any] = TEMPLATE["Globals"]["Function"]
FAILURE_QUEUES = {"DeliveryFailures", "DispatchFailures"}


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: found["Properties"] for name, found in RESOURCES.items() if found["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
TABLES = of_type("AWS::DynamoDB::Table")
QUEUES = of_type("AWS::SQS::Queue")


def triggers(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, function in FUNCTIONS.items():
        for trigger in function.get("Events", {}).values():
            if trigger["Type"] == kind:
                yield name, trigger["Properties"]


def only_trigger(kind: str) -> tuple[str, dict[str, Any]]:
    (found,) = triggers(kind)
    return found


def statements(function: str) -> list[dict[str, Any]]:
    return policies.statements(RESOURCES, function)


def grants(function: str) -> dict[str, set[str]]:
    """Resource → actions."""
    return policies.grants(RESOURCES, function)


def variables(function: str) -> dict[str, Any]:
    return cast("dict[str, Any]", FUNCTIONS[function].get("Environment", {}).get("Variables", {}))
