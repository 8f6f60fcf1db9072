"""ministack, an emulator of AWS with HTTP interfaces: for `make sam-local`, and for tests of the deployed template."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobtrack_local.engine.engine_process import EngineProcess

PROCESS = Path(__file__).with_name("ministack_process.py")
ENVIRONMENT = {
    "BIND_HOST": "127.0.0.1",
    "MINISTACK_HOST": "127.0.0.1",
    "IOT_MTLS_ENABLED": "0",
    "SFTP_ENABLED": "0",
    "PERSIST_STATE": "0",
    "LOG_LEVEL": "WARNING",
    "DOCKER_HOST": "unix:///dev/null/none",  # otherwise it removes containers of this machine
}


@contextmanager
def running(services: str, **variables: str) -> Iterator[EngineProcess]:
    """Run ministack with some services (their names, separated by commas) and environment variables."""
    # -P: ministack is the installed package, not the module of this name here.
    command = [sys.executable, "-P", str(PROCESS)]
    engine = EngineProcess("ministack", command, {**ENVIRONMENT, "SERVICES": services, **variables})
    try:
        yield engine
    finally:
        engine.stop()
