"""Runs ministack in its own process, which shuts down cleanly when its parent is gone.

Its standard input is a pipe without data. The pipe closes when the parent ends, even by `kill -9`.
"""

import os
import runpy
import signal
import socket
import threading
import time

WRITE_SECONDS = 60
"""How long ministack may take to write its state before it is killed."""


def main() -> None:
    """Print `port N` with a free port of 127.0.0.1, and serve there."""
    port = _free_port()
    os.environ["GATEWAY_PORT"] = str(port)
    threading.Thread(target=_end_with_input, daemon=True).start()
    print(f"port {port}", flush=True)
    runpy.run_module("ministack", run_name="__main__")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _end_with_input() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(WRITE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
