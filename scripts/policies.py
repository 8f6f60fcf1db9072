"""Compare the policies of template.yaml with the calls of the functions: `python -m scripts.policies FILE...`.

Each FILE is a record that `JOBTRACK_CALLS` named in a run of the end-to-end tests. A function must be granted every
recorded call, and nothing else except the grants in `UNSEEN`, which have a reason.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from jobtrack_local.template import intrinsics
from jobtrack_local.template.template import PATH

Properties = Mapping[str, Any]
Grants = dict[str, set[str]]
"""Resource → actions."""

_STREAM = "Lambda's poller reads the stream"
_QUEUE = "Lambda's poller takes messages from the queue"
UNSEEN = {
    ("DispatcherFunction", "JobsTable/stream", "dynamodb:DescribeStream"): _STREAM,
    ("DispatcherFunction", "JobsTable/stream", "dynamodb:GetRecords"): _STREAM,
    ("DispatcherFunction", "JobsTable/stream", "dynamodb:GetShardIterator"): _STREAM,
    ("DispatcherFunction", "*", "dynamodb:ListStreams"): "Lambda's poller finds the stream",
    (
        "DispatcherFunction",
        "DispatchFailures",
        "sqs:SendMessage",
    ): "Lambda's poller reports records that it gave up",
    **{
        (function, queue, f"sqs:{action}"): _QUEUE
        for function in ("DelivererFunction", "SlowDelivererFunction")
        for queue in ("DeliveryQueue", "SlowDeliveryQueue")
        for action in ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
    },
    **{
        (
            function,
            "SubscriptionsTable",
            "dynamodb:DeleteItem",
        ): "it deletes a connection before $disconnect does"
        for function in ("DelivererFunction", "SlowDelivererFunction")
    },
}
"""Grants without a recorded call, and why: Lambda itself makes the call, or only a race does."""


def listed(value: Any) -> list[Any]:
    """Return a value of the template as a list, also if it is a single value."""
    return value if isinstance(value, list) else [value]


def statements(resources: Mapping[str, Any], function: str) -> list[dict[str, Any]]:
    """Return the policy statements of a function: those of its role in the template, or of the role that SAM makes."""
    properties = resources[function]["Properties"]
    if "Role" in properties:
        role = resources[intrinsics.target(properties["Role"])]["Properties"]
        documents = [policy["PolicyDocument"] for policy in role["Policies"]]
    else:
        documents = properties.get("Policies", [])
    return [statement for document in documents for statement in document["Statement"]]


def resource_of(arn: Any) -> str:
    """Return the logical id of a policy's resource and its part: `JobsTable/index/by_status`, `WebSocketApi/POST`."""
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


def grants(resources: Mapping[str, Any], function: str) -> Grants:
    """Return the actions that a function may perform on each resource."""
    found: Grants = {}
    for statement in statements(resources, function):
        for arn in listed(statement["Resource"]):
            found.setdefault(resource_of(arn), set()).update(listed(statement["Action"]))
    return found


@dataclass(frozen=True)
class Comparison:
    """The grants and the calls of a function, each as (resource, action)."""

    function: str
    granted: frozenset[tuple[str, str]]
    called: frozenset[tuple[str, str]]

    @property
    def missing(self) -> list[tuple[str, str]]:
        """Calls without a grant."""
        return sorted(self.called - self.granted)

    @property
    def unused(self) -> list[tuple[str, str]]:
        """Grants without a call and without a reason."""
        return sorted(each for each in self.granted - self.called if (self.function, *each) not in UNSEEN)

    def lines(self) -> Iterator[str]:
        """Yield the comparison, with one line per resource."""
        wrong = f"{len(self.missing)} missing, {len(self.unused)} unused"
        yield f"{self.function}: {len(self.granted)} granted, {len(self.granted & self.called)} called, {wrong}"
        for resource in sorted({resource for resource, _ in self.granted | self.called}):
            yield f"  {resource}: {', '.join(self._marked_actions(resource))}"

    def _marked_actions(self, resource: str) -> Iterator[str]:
        for place, action in sorted(self.granted | self.called):
            if place == resource:
                yield action + self._mark(place, action)

    def _mark(self, resource: str, action: str) -> str:
        pair = (resource, action)
        if pair not in self.granted:
            return " MISSING"
        if pair in self.called:
            return ""
        reason = UNSEEN.get((self.function, resource, action))
        return f" ({reason})" if reason else " UNUSED"


def compare(resources: Mapping[str, Any], calls: Iterable[tuple[str, str, str]]) -> list[Comparison]:
    """Compare each function; calls are (folder, action, resource).

    Raises:
        ValueError: a folder belongs to no function.
    """
    seen: dict[str, set[tuple[str, str]]] = {}
    for folder, action, resource in calls:
        seen.setdefault(folder, set()).add((resource, action))
    functions = {
        name: each["Properties"]["CodeUri"]
        for name, each in resources.items()
        if each["Type"] == "AWS::Serverless::Function"
    }
    if unknown := seen.keys() - functions.values():
        raise ValueError(f"no function of the template has the code in {', '.join(sorted(unknown))}")
    return [
        Comparison(
            name,
            frozenset((place, action) for place, actions in grants(resources, name).items() for action in actions),
            frozenset(seen.get(folder, ())),
        )
        for name, folder in functions.items()
    ]


def main(paths: list[Path]) -> int:
    """Print the comparison; return 1 if a grant is missing or unused."""
    resources = cast("dict[str, Any]", intrinsics.read(PATH)["Resources"])
    calls = [tuple(json.loads(line)) for path in paths for line in path.read_text().splitlines()]
    compared = compare(resources, calls)
    for each in compared:
        print(*each.lines(), sep="\n")
    wrong = [each.function for each in compared if each.missing or each.unused]
    print(
        f"the policies and calls of {len(compared)} functions agree"
        if not wrong
        else f"POLICIES AND CALLS DIFFER: {', '.join(wrong)}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main([Path(argument) for argument in sys.argv[1:]]))
