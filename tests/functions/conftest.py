"""Handlers as Lambda calls them: samples of events/, the stack on the embedded engine, and enforced policies."""

import inspect
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
from botocore.exceptions import HTTPClientError
from botocore.model import OperationModel

from jobtrack import aws
from jobtrack.store.item_kinds import FORMAT, kind_of
from jobtrack_local.engine.sqlite import seam
from jobtrack_local.runtime.function import load_module
from jobtrack_local.template import intrinsics, template
from tests import permissions
from tests.engine.shapes import LAYER_SHAPES, layer_shapes, shapes_of
from tests.functions import embedded
from tests.stack import ROOT, grants

REGION, ACCOUNT = "us-east-1", "123456789012"
TEMPLATE = template.load()
NAMES = intrinsics.Names(
    refs={
        **TEMPLATE.defaults,
        "AWS::Region": REGION,
        "AWS::URLSuffix": "amazonaws.com",
        "WebSocketApi": "a1b2c3d4e5",
        "WebSocketStage": "live",
        **{table: table for table in TEMPLATE.tables},
        **{queue: f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue}" for queue in TEMPLATE.queues},
    },
    attributes={
        **{(key, "Arn"): f"alias/{key}" for key in TEMPLATE.keys},
        ("WebSocketApi", "ApiEndpoint"): f"wss://a1b2c3d4e5.execute-api.{REGION}.amazonaws.com",
    },
)

# The layer does not contain it.
sys.modules["pydantic.v1"] = None  # type: ignore[assignment]

# Here and not in a fixture: in Lambda too, the environment exists before a function's module is imported.
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    **TEMPLATE.environment(NAMES),
}


@dataclass(frozen=True)
class Context:
    """Lambda's context of an invocation."""

    function_name: str = "jobtrack-test"
    function_version: str = "$LATEST"
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:jobtrack-test"
    memory_limit_in_mb: int = 1024
    aws_request_id: str = "5f1c2b3a-0d4e-4f6a-8b7c-9d0e1f2a3b4c"
    log_group_name: str = "FunctionLogs"
    log_stream_name: str = "2026/11/23/jobtrack-test[$LATEST]0123456789abcdef"

    def get_remaining_time_in_millis(self) -> int:
        return 20_000


class Policies:
    """Records forbidden calls of the running function; None means that the test itself calls."""

    def __init__(self) -> None:
        self.running: str | None = None
        self.denied: list[str] = []

    def check(self, params: dict[str, Any], model: OperationModel, **_: object) -> None:
        if self.running:
            service = model.service_model.signing_name
            self.denied += permissions.denied(grants(self.running), service, model.name, params, _logical_id)


_OTHERS = ("tests.", "jobtrack_local.")
"""Modules that call DynamoDB for themselves, not for the layer."""


class Shapes:
    """Records calls of the layer and of functions with a shape that is not compared with DynamoDB Local."""

    def __init__(self) -> None:
        self._compared = frozenset(layer_shapes())
        self.uncompared: set[str] = set()

    def check(self, params: dict[str, Any], model: OperationModel, **_: object) -> None:
        if model.service_model.service_name == "dynamodb" and not _caller().startswith(_OTHERS):
            self.uncompared |= {*shapes_of(model.name, params)} - self._compared


def _caller() -> str:
    """Return the module that called botocore."""
    frame = inspect.currentframe()
    while frame and frame.f_globals["__name__"].startswith(("botocore.", __name__)):
        frame = frame.f_back
    return str(frame.f_globals["__name__"]) if frame else ""


def _logical_id(name: str) -> str:
    return name.rsplit("/", 1)[-1]


class Faults:
    """Faults in the calls of the running function, set by a test.

    `answer` may return a response in place of AWS. `lose` may raise what a client sees of a lost response; the
    request has been processed then. botocore repeats a request after a broken connection.
    """

    def __init__(self) -> None:
        self.answer: Callable[[OperationModel], Any] | None = None
        self.lose: Callable[[str], None] | None = None

    def before_call(self, model: OperationModel, context: dict[str, Any], **_: object) -> Any:
        if not POLICIES.running:
            return None
        response = self.answer(model) if self.answer else None
        return self._lose(self.lose, model, context) if response is None and self.lose else response

    def _lose(self, lose: Callable[[str], None], model: OperationModel, context: dict[str, Any]) -> Any:
        response = RESPOND(model=model, context=context)
        try:
            lose(model.name)
        except HTTPClientError:
            return self._repeated(model, context, response)
        return response

    def _repeated(self, model: OperationModel, context: dict[str, Any], first: Any) -> Any:
        token = bool(model.idempotent_members)  # botocore sends the same one again, and AWS does nothing more
        http, parsed = first if token else RESPOND(model=model, context=context)
        parsed["ResponseMetadata"]["RetryAttempts"] = 1
        return http, parsed


POLICIES, FAULTS, SHAPES = Policies(), Faults(), Shapes()
RESPOND: Callable[..., Any] = seam.responder(embedded.SERVICES)


def _attach() -> None:
    """Let the clients of functions and tests call the embedded engine, within the policies and with the faults."""
    events = aws.session().get_component("event_emitter")
    events.register("provide-client-params", POLICIES.check)
    events.register("provide-client-params", SHAPES.check)
    events.register("before-call", FAULTS.before_call)
    seam.attach(aws.session(), embedded.SERVICES)


_attach()

# Created once, because creating a client takes longer than creating the whole stack.
DYNAMODB, SQS, KMS = aws.client("dynamodb"), aws.client("sqs"), aws.client("kms")


def _create_stack() -> None:
    """Create the stack's tables, queues and key, named by their logical ids."""
    for name, table in TEMPLATE.tables.items():
        DYNAMODB.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **table.arguments())
    for name in TEMPLATE.queues:
        SQS.create_queue(QueueName=name)
    for name in TEMPLATE.keys:
        KMS.create_alias(AliasName=f"alias/{name}", TargetKeyId=KMS.create_key()["KeyMetadata"]["KeyId"])


_create_stack()


class Invoke(Protocol):
    """Calls the handler of a function of template.yaml."""

    def __call__(self, function: str, event: dict[str, Any]) -> dict[str, Any]: ...


@pytest.fixture
def invoke(stack: None) -> Invoke:
    """Run a function by its logical id, within its policy: `invoke("LogsFunction", sample("get-logs"))`."""

    def call(function: str, event: dict[str, Any]) -> dict[str, Any]:
        module = load_module(TEMPLATE.functions[function])
        POLICIES.running, POLICIES.denied = function, []
        try:
            answer = module.handler(event, Context(function))
        finally:
            POLICIES.running = None
        assert not POLICIES.denied
        assert isinstance(answer, dict | None)
        return answer or {}

    return call


@pytest.fixture(autouse=True)
def compared_shapes() -> Iterator[None]:
    """Fail a test in which the layer makes a call of a shape that is not compared with DynamoDB Local."""
    SHAPES.uncompared.clear()
    yield
    assert not SHAPES.uncompared, f"add to {LAYER_SHAPES.name}: {sorted(SHAPES.uncompared)}"


@pytest.fixture
def context() -> Context:
    return Context()


@pytest.fixture
def sample() -> Callable[[str], dict[str, Any]]:
    """Reads a sample event from its file: `sample("get-job")`."""

    def read(name: str) -> dict[str, Any]:
        event = json.loads((ROOT / "events" / f"{name}.json").read_text())
        assert isinstance(event, dict)
        return event

    return read


@pytest.fixture
def stack() -> Iterator[None]:
    """Empty the stack's tables and queues for the test, and look at the items that it leaves."""
    embedded.empty()
    yield
    _require_known_kinds()


def _require_known_kinds() -> None:
    """Require that the test left no item of an unknown kind, or without the format of its kind."""
    for table in TEMPLATE.tables:
        for item in DYNAMODB.scan(TableName=table)["Items"]:
            kind = kind_of(table, item)
            assert kind, f"no kind covers {item['pk']} {item['sk']} of {table}: add it to store/item_kinds.py"
            assert item.get(FORMAT) == kind.stamp[FORMAT], f"{kind.name} {item['sk']} has no format"
