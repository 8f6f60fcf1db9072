"""Runs a Python program as a tracked job: what it prints and logs is the log, and its bars of tqdm are stages."""

import argparse
import atexit
import os
import runpy
import sys
import traceback
from contextlib import ExitStack
from errno import ENOENT
from pathlib import Path
from types import TracebackType

from jobtrack_client._api.settings import OUTPUT_VARIABLE, surrounding, surrounding_job_id
from jobtrack_client._exceptions import ConfigurationError
from jobtrack_client._jobs.client import Client
from jobtrack_client._jobs.job import Job
from jobtrack_client._running.prints import Prints
from jobtrack_client._values.json_values import as_text
from jobtrack_client.integrations.install import install

NO_PROGRAM = 2
"""Python's own exit code for a program that is not there."""
_OURS = ("<frozen runpy>", "<frozen importlib", runpy.__file__, __file__)


def main() -> None:
    """Run what the arguments say; below `jobtrack run` it reports to that job."""
    asked = _parser().parse_args()
    sys.argv = [asked.program, *asked.arguments]
    try:
        client = Client()
        job = _job(client, asked)
    except ConfigurationError as error:
        sys.exit(f"jobtrack_client: {error}")
    _Program(client, job).run(asked)


class _Program:
    """A program as a job that ends with the interpreter: after its threads and its `atexit` functions."""

    def __init__(self, client: Client, job: Job) -> None:
        self._job = job
        self._error: BaseException | None = None
        job.unfinished = self._end
        # Never closed: both are used until the interpreter has ended.
        self._used = ExitStack()
        self._used.enter_context(client)
        # Before the program's own, since `atexit` calls the first that was registered last.
        job.start()
        # What `jobtrack run` reads of this program is in the log already, and what it logs among it.
        self._silent = os.environ.get(OUTPUT_VARIABLE) == job.job_id
        self._used.enter_context(install(job, logging=not self._silent))
        if not self._silent:
            _report_prints(job)
        os.environ.update(surrounding(job.job_id, job._reporter.settings))

    def run(self, asked: argparse.Namespace) -> None:
        """Run the program; how it ends is the job's end, and Python's own."""
        try:
            _run(asked)
        except BaseException as error:
            self._error = error
            if isinstance(error, Exception) and not self._silent:
                shown = traceback.format_exception(type(error), error, _own(error.__traceback__))
                self._job.log("ERROR", _summary(error), details={"exception": "".join(shown).rstrip()})
            raise

    def _end(self, uncaught: BaseException | None) -> None:
        self._job.conclude(self._error or uncaught)
        self._job.close()


def _run(asked: argparse.Namespace) -> None:
    if asked.module:
        _find_beside(Path.cwd())
        runpy.run_module(asked.program, run_name="__main__", alter_sys=True)
    elif Path(asked.program).exists():
        _find_beside(Path(asked.program).resolve().parent)
        runpy.run_path(asked.program, run_name="__main__")
    else:
        print(f"jobtrack_client: {asked.program} cannot be run: {os.strerror(ENOENT)}", file=sys.stderr)
        sys.exit(NO_PROGRAM)


def _report_prints(job: Job) -> None:
    prints = Prints(job)
    show = sys.excepthook

    def show_own(kind: type[BaseException], error: BaseException, place: TracebackType | None) -> None:
        # The job has it already, in one piece.
        with prints.paused():
            show(kind, error.with_traceback(_own(place)), _own(place))

    sys.excepthook = show_own
    atexit.register(prints.end)


def _own(place: TracebackType | None) -> TracebackType | None:
    """The program's part of a traceback, without what runs it."""
    while place is not None and place.tb_frame.f_code.co_filename.startswith(_OURS):
        place = place.tb_next
    return place


def _summary(error: BaseException) -> str:
    return f"{type(error).__name__}: {as_text(error)}"


def _find_beside(folder: Path) -> None:
    """Let the program import what is in the folder, as Python does; only now, so that we did not."""
    if not sys.flags.safe_path:
        sys.path.insert(0, str(folder))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m jobtrack_client", description=__doc__)
    parser.add_argument("--name", help="of the job (default: the program's)")
    parser.add_argument("--type", help="of the job, by which later ones are estimated (default: its name)")
    parser.add_argument("-m", dest="module", action="store_true", help="the program is a module, not a file")
    parser.add_argument("program")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser


def _job(client: Client, asked: argparse.Namespace) -> Job:
    if surrounding_job_id(client._http.settings) is not None:
        return client.attach()
    name = asked.name or (asked.program if asked.module else Path(asked.program).stem)
    return client.job(name, job_type=asked.type or name)


if __name__ == "__main__":
    main()
