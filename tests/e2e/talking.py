"""`jobtrack` with every logger at DEBUG, and a file with everything that is sent to tables and queues.

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
    """Appends the bodies of requests to a file, one per line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, params: dict[str, Any], **_: object) -> None:
        """Called before a request is sent."""
        with self._lock, self._path.open("ab") as file:
            file.write(params["body"] + b"\n")


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s: %(message)s")
    provision.PARAMETERS["LogLevel"] = "DEBUG"
    writer = Writer(Path(sys.argv.pop(1)))
    BUILTIN_HANDLERS.extend((f"before-call.{service}", writer.write) for service in ("dynamodb", "sqs"))
    main()
