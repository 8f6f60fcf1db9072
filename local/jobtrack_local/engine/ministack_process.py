"""ministack as a process of its own, which ends in an orderly way when whoever started it is gone.

Its standard input is a pipe that nobody writes to: that it ends, even by `kill -9` of the other side, is the sign.
"""

import os
import runpy
import signal
import socket
import threading
import time

LAST_CHANCE_SECONDS = 60
"""How long ministack may take to write its state before it is given up."""


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
