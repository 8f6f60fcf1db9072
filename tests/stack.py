"""template.yaml, as the tests ask about it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from local import intrinsics

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


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(function: str) -> list[dict[str, Any]]:
    """What the function may do, whether SAM makes its role or the template does."""
    properties = FUNCTIONS[function]
    if "Role" in properties:
        role = RESOURCES[intrinsics.target(properties["Role"])]["Properties"]
        documents = [policy["PolicyDocument"] for policy in role["Policies"]]
    else:
        documents = properties.get("Policies", [])
    return [statement for document in documents for statement in document["Statement"]]


def resource_of(arn: Any) -> str:
    """The logical id of a policy's resource, with what is within: `JobsTable/index/by_status`, `WebSocketApi/POST`."""
    match arn:
        case {"Fn::GetAtt": [name, "Arn"]}:
            return str(name)
        case {"Fn::GetAtt": [name, "StreamArn"]}:
            return f"{name}/stream"
        case {"Fn::Sub": str(text)} if text.endswith("/@connections/*"):
            return f"WebSocketApi/{text.split('/')[-3]}"
        case {"Fn::Sub": text}:
            return str(text).removeprefix("${").replace(".Arn}", "")
    return str(arn)


def grants(function: str) -> dict[str, set[str]]:
    """Resource → actions."""
    found: dict[str, set[str]] = {}
    for statement in statements(function):
        for arn in listed(statement["Resource"]):
            found.setdefault(resource_of(arn), set()).update(listed(statement["Action"]))
    return found


def variables(function: str) -> dict[str, Any]:
    return cast("dict[str, Any]", FUNCTIONS[function].get("Environment", {}).get("Variables", {}))
