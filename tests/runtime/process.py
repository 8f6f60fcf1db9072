"""A function in its own process, as Lambda runs it: its folder, the layer, its variables, and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from jobtrack_local.template.cloudformation import FunctionProperties
from tests.runtime.runtime_api import Invocation, RuntimeApi
from tests.stack import ROOT

LAYER = ROOT / "layers/jobtrack/python"
ANSWER_BYTES = 6_291_556
"""Lambda's limit of a response: 6 MB and 100 bytes."""
PATIENCE_SECONDS = 60


class FunctionError(Exception):
    """The function raised, or ended."""


@dataclass(frozen=True)
class Answer:
    """A function's response: its JSON, and its size in bytes."""

    json: Any
    size: int

    @property
    def body(self) -> Any:
        """Return the JSON in the body of an HTTP response."""
        return json.loads(self.json["body"])


class Process:
    """`python -m awslambdaric app.handler` in a function's folder; started by its first invocation."""

    def __init__(
        self,
        name: str,
        properties: FunctionProperties,
        variables: Mapping[str, str],
        output: int | IO[bytes] = subprocess.DEVNULL,
    ) -> None:
        self.name = name
        self._output = output
        self.timeout = properties.timeout
        self._folder = ROOT / properties.code_uri
        self._variables = {**variables, **_reserved(name, self._folder, properties.memory_size)}
        self._process: subprocess.Popen[bytes] | None = None
        self._api = RuntimeApi()

    def invoke(self, event: object, seconds: float | None = None) -> Answer:
        """The answer to an event, for which there are `seconds` (default: the function's time-out).

        Raises:
            FunctionError: the function raised, or its process ended.
        """
        invocation = self.begin(event, seconds)
        while not invocation.done.wait(0.05):
            if not self.alive:
                raise FunctionError(self._api.init_error or f"{self.name} ended")
        if invocation.error is not None:
            raise FunctionError(invocation.error)
        return Answer(json.loads(invocation.answer), len(invocation.answer))

    def begin(self, event: object, seconds: float | None = None) -> Invocation:
        """Start an invocation without waiting for its response."""
        if not self.alive:
            self._start()
        raw = json.dumps(event, ensure_ascii=False).encode()
        invocation = Invocation(raw, self.name, self.timeout if seconds is None else seconds)
        self._api.put(invocation)
        return invocation

    @property
    def alive(self) -> bool:
        """Whether there is a process."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End the process immediately, as Lambda does at the timeout. The next invocation starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_SECONDS)
            self._process = None
        self._api.close()
        self._api = RuntimeApi()

    def close(self) -> None:
        """End the process finally."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_SECONDS)
        self._api.close()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "awslambdaric", "app.handler"],
            cwd=self._folder,
            env={**self._variables, "AWS_LAMBDA_RUNTIME_API": self._api.address},
            stdout=self._output,
        )


def _reserved(name: str, folder: Path, memory: int) -> dict[str, str]:
    """Return the variables that Lambda sets, with credentials without any permission."""
    return {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_GROUP_NAME": "FunctionLogs",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/23/[$LATEST]0123456789abcdef",
        "LAMBDA_TASK_ROOT": str(folder),
        "LANG": "en_US.UTF-8",
        "NO_PROXY": "127.0.0.1",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(LAYER),
        "TZ": ":UTC",
        "_HANDLER": "app.handler",
    }
