"""A service whose texts are the worst that a worker can make: responses of every model, filled with one text."""

import json
from collections.abc import Generator, Mapping
from types import NoneType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import httpx

from jobtrack_client import models
from tests.unit.client.service import GUID, problem

HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J\x9b31m\x1bc\x08\x85\u2028\u2029\u202e\u2066\u200f\x7f\x00\r\n\t\x0b\x0c\x1c\x9d0;x\x9c"
    "[red]é 漢字 \U0001f600 :smile: [link=http://evil]x[/link][/]\ud800 \\n"
)
ENDED = "Completed"
NOTHING: dict[str, Any] = {"nextCursor": None, "notFound": []}
ANSWERS: list[tuple[str, str, Any]] = [
    ("GET", "/jobs", models.Jobs),
    ("GET", "/queue", models.Queue),
    ("GET", "/tracking/batch", models.Batch),
    ("GET", f"/job/{GUID}", models.Job),
    ("GET", "/progress", models.Progress),
    ("GET", "/logs", models.Logs),
    ("GET", "/timeline", models.Timeline),
    ("GET", "/metrics", models.Metrics),
    ("GET", "/dependencies", models.Dependencies),
    ("GET", "/subscriptions", models.Subscriptions),
    ("GET", "/deliveries", models.Deliveries),
    ("POST", "/subscribe", models.NewSubscription),
    ("POST", "/retry", models.QueuedMessage),
]


class Worst:
    """Responds to every request: the first time a job has a status of `text`, later it has ended."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.answered: list[Any] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            return httpx.Response(204)
        if request.url.path.endswith("/page/codes"):
            return _answer(201, {"code": self.text, "expiresInSeconds": 60})
        path = request.url.path.removesuffix("/")
        model = next(model for method, end, model in ANSWERS if request.method == method and path.endswith(end))
        answer = filled(model, self.text)
        answer |= {name: value for name, value in NOTHING.items() if name in answer}
        again = any(path == known for known, _ in self.answered)
        self.answered.append((path, answer))
        return _answer(200, _ended(answer) if again else answer)

    def messages(self, url: str, since: int | None, timeout: float) -> Generator[dict[str, Any], None, None]:
        first, last = filled(models.Message, self.text), filled(models.Message, self.text)
        last["data"]["sequence"] = 2
        yield {**first, "id": self.text}
        yield {**last, "id": self.text, "type": "jobCompleted"}


def refusing(text: str) -> Any:
    """A service that refuses everything, with the text wherever a problem has one."""

    errors = [{"pointer": text, "detail": text}]

    def refuse(request: httpx.Request) -> httpx.Response:
        return _answer(409, problem(409).json() | {"detail": text, "code": text, "title": text, "errors": errors})

    return refuse


def _answer(status: int, body: Any) -> httpx.Response:
    """JSON in ASCII, the only form that can spell every text."""
    return httpx.Response(status, content=json.dumps(body), headers={"Content-Type": "application/json"})


def filled(model: Any, text: str) -> dict[str, Any]:
    """Return a value of the model with this text everywhere, and one item in each list."""
    return {name: _value(hint, text) for name, hint in get_type_hints(model).items()}


def _value(hint: Any, text: str) -> Any:
    if is_typeddict(hint):
        return filled(hint, text)
    origin, args = get_origin(hint), get_args(hint)
    if origin is list:
        return [_value(args[0], text)]
    if origin is dict:
        return {text: text, "message": text}
    if origin is Literal or hint is str:
        return text
    if origin is Union or NoneType in args:
        return _value(next(each for each in args if each is not NoneType), text)
    return {bool: False, int: 1, float: 1.5}[hint]


def _ended(answer: Mapping[str, Any]) -> dict[str, Any]:
    jobs = [{**job, "status": ENDED} if isinstance(job, dict) else job for job in answer.get("jobs", ())]
    return {
        **answer,
        **{name: ENDED for name in ("status", "jobStatus") if name in answer},
        **({"jobs": jobs} if jobs else {}),
    }
