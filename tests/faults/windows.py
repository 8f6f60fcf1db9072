"""Make this process look like one on Windows to the client: `pretend()`, before the client is imported.

Features that Windows lacks are removed from the standard library. Modules that adapt to the platform at import, of the
standard library and of other packages, are imported before.
"""

import importlib
import multiprocessing.reduction
import os
import signal
import sys

# Not `_socket`, from which `socket` keeps what it needs.
MISSING_MODULES = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "termios", "tty")
IMPORTED_BEFORE = (
    *("concurrent.futures.process", "multiprocessing.popen_spawn_posix", "webbrowser", "zoneinfo"),
    *("httpx", "platformdirs", "plotext", "psutil", "rich.live", "rich.progress", "rich.tree", "tqdm", "typer"),
    "websockets.sync.client",
)
PROCESSES = frozenset(
    {
        *("fork", "forkpty", "register_at_fork", "getpgid", "getpgrp", "setsid", "tcgetpgrp", "tcsetpgrp", "killpg"),
        *("getuid", "geteuid", "uname", "getloadavg", "WNOHANG", "sched_getaffinity", "sysconf", "mkfifo", "fchmod"),
    }
)
SIGNALS = frozenset({"SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCHLD", "SIGPIPE", "SIGKILL"})
SOCKETS = frozenset({"socketpair", "AF_UNIX", "MSG_DONTWAIT"})


def pretend() -> None:
    """Remove what Windows does not have."""
    importlib.import_module("_socket")
    for name in IMPORTED_BEFORE:
        importlib.import_module(name)
    for module, names in (
        (os, PROCESSES),
        (signal, SIGNALS),
        (sys.modules["_socket"], SOCKETS),
        (multiprocessing.reduction, frozenset({"DupFd"})),
    ):
        for name in names & {*dir(module)}:
            delattr(module, name)
    for name in MISSING_MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    sys.platform = "win32"
