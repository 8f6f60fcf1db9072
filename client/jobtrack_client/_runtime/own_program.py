"""Prepares a process that runs one of our programs: its import path, and the effect of Ctrl-C during imports.

`python -m` and an empty or relative entry of PYTHONPATH put the working directory before all installed packages
(https://docs.python.org/3/using/cmdline.html#envvar-PYTHONPATH). A file `httpx.py` there would run with the user's
token. Only `jobtrack` and `python -m jobtrack_client` are changed. A program that imports this package is not.
"""

# Python imports these two when it starts. Any other module could come from the working directory.
import os
import sys

_PACKAGE = __name__.partition(".")[0]
_SCRIPTS = ("jobtrack", "jobtrack.exe")


def absolute_entries(path: str) -> str:
    """Return a value of PYTHONPATH without the entries that depend on the working directory."""
    return os.pathsep.join(filter(os.path.isabs, path.split(os.pathsep)))


def clean() -> None:
    """Remove the working directory from the import path, if this process runs one of our programs."""
    module = _is_module()
    if module and not sys.flags.safe_path:
        del sys.path[0]
    if module or _is_command():
        relative = {os.path.abspath(entry) for entry in _relative_entries(os.environ.get("PYTHONPATH", ""))}
        sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) not in relative]


def _is_command() -> bool:
    """Return whether this process runs the command `jobtrack`."""
    return os.path.basename(_argument(sys.argv, 0)) in _SCRIPTS


def _relative_entries(path: str) -> list[str]:
    """Return the entries that depend on the working directory. An empty entry does; an empty value has no entries."""
    return [entry for entry in path.split(os.pathsep) if not os.path.isabs(entry)] if path else []


def _is_module() -> bool:
    """Return whether Python runs `-m` with this package. Until it finds the module, `sys.argv[0]` is `-m`."""
    if _argument(sys.argv, 0) != "-m":
        return False
    word = _argument(sys.orig_argv, -len(sys.argv)).partition(".")[0]  # the word before the module's own arguments
    return word == _PACKAGE or (word.startswith("-") and word.endswith(f"m{_PACKAGE}"))


def _argument(words: list[str], index: int) -> str:
    """Return a word, or an empty text if there is none, as in an embedded Python."""
    return words[index] if -len(words) <= index < len(words) else ""


def end_at_interrupt() -> None:
    """Let Ctrl-C end the command `jobtrack` without a traceback. No code could handle KeyboardInterrupt yet."""
    import signal

    if _is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def raise_at_interrupt() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again, now that a command can handle it."""
    import signal

    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


clean()
end_at_interrupt()
