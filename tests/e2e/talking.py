"""`jobtrack`, which tells all: every logger at DEBUG, and what is sent to tables and queues into a file.

`python -m tests.e2e.talking FILE serve …`
"""

import logging
import sys
import threading
from pathlib import Path
from typing import Any

from botocore.handlers import BUILTIN_HANDLERS

from jobtrack_client.cli import main
from jobtrack_local.engine import provision


class Writer:
    """Appends the bodies of requests to a file, each a line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, params: dict[str, Any], **_: object) -> None:
        """Before a call."""
        with self._lock, self._path.open("ab") as file:
            file.write(params["body"] + b"\n")


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s: %(message)s")
    provision.PARAMETERS["LogLevel"] = "DEBUG"
    writer = Writer(Path(sys.argv.pop(1)))
    BUILTIN_HANDLERS.extend((f"before-call.{service}", writer.write) for service in ("dynamodb", "sqs"))
    main()
