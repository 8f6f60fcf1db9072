"""Run ministack as a child process that ends in order when its parent has ended.

Its standard input is a pipe that the parent never writes to. It closes when the parent ends, even by `kill -9`.
"""

import os
import runpy
import signal
import socket
import threading
import time

LAST_CHANCE_SECONDS = 60
"""Seconds until ministack gives up saving its state."""


def main() -> None:
    """Serve on a free port of 127.0.0.1, printed first as `port N`."""
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
    time.sleep(LAST_CHANCE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
