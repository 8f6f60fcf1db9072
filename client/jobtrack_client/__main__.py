"""Run a Python program as a tracked job. Its output and log records become the log; tqdm bars become stages."""

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
from jobtrack_client._run_command.prints import Prints
from jobtrack_client._values.json_values import as_text
from jobtrack_client.integrations.install import install

NO_PROGRAM = 2
"""Python's own exit code for a program that does not exist."""
_OURS = ("<frozen runpy>", "<frozen importlib", runpy.__file__, __file__)


def main() -> None:
    """Run the program. Under `jobtrack run`, report to its job."""
    arguments = _parser().parse_args()
    sys.argv = [arguments.program, *arguments.arguments]
    try:
        client = Client()
        job = _job(client, arguments)
    except ConfigurationError as error:
        sys.exit(f"jobtrack_client: {error}")
    _Program(client, job).run(arguments)


class _Program:
    """A program as a job. The job ends with the interpreter, after the program's threads and `atexit` functions."""

    def __init__(self, client: Client, job: Job) -> None:
        self._job = job
        self._error: BaseException | None = None
        job.unfinished = self._end
        # Never closed, because client and job are used until the interpreter ends.
        self._used = ExitStack()
        self._used.enter_context(client)
        # Before the program registers its own functions, because `atexit` calls the first one last.
        job.start()
        # `jobtrack run` already reports the output of this program, including its log records.
        self._silent = os.environ.get(OUTPUT_VARIABLE) == job.job_id
        self._used.enter_context(install(job, logging=not self._silent))
        if not self._silent:
            _report_prints(job)
        os.environ.update(surrounding(job.job_id, job._reporter.settings))

    def run(self, arguments: argparse.Namespace) -> None:
        """Run the program. An exception ends the job, and is raised again."""
        try:
            _run(arguments)
        except BaseException as error:
            self._error = error
            if isinstance(error, Exception) and not self._silent:
                text = traceback.format_exception(type(error), error, _own(error.__traceback__))
                self._job.log("ERROR", _summary(error), details={"exception": "".join(text).rstrip()})
            raise

    def _end(self, uncaught: BaseException | None) -> None:
        self._job.conclude(self._error or uncaught)
        self._job.close()


def _run(arguments: argparse.Namespace) -> None:
    if arguments.module:
        _find_beside(Path.cwd())
        runpy.run_module(arguments.program, run_name="__main__", alter_sys=True)
    elif Path(arguments.program).exists():
        _find_beside(Path(arguments.program).resolve().parent)
        runpy.run_path(arguments.program, run_name="__main__")
    else:
        print(f"jobtrack_client: {arguments.program} cannot be run: {os.strerror(ENOENT)}", file=sys.stderr)
        sys.exit(NO_PROGRAM)


def _report_prints(job: Job) -> None:
    prints = Prints(job)
    show = sys.excepthook

    def show_own_part(kind: type[BaseException], error: BaseException, place: TracebackType | None) -> None:
        # The job has reported the exception already.
        with prints.paused():
            show(kind, error.with_traceback(_own(place)), _own(place))

    sys.excepthook = show_own_part
    atexit.register(prints.end)


def _own(place: TracebackType | None) -> TracebackType | None:
    """Return the program's part of a traceback, without the frames of this module and of runpy."""
    while place is not None and place.tb_frame.f_code.co_filename.startswith(_OURS):
        place = place.tb_next
    return place


def _summary(error: BaseException) -> str:
    return f"{type(error).__name__}: {as_text(error)}"


def _find_beside(folder: Path) -> None:
    """Add the program's folder to the import path, as Python does, but only after the client's own imports."""
    if not sys.flags.safe_path:
        sys.path.insert(0, str(folder))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m jobtrack_client", description=__doc__)
    parser.add_argument("--name", help="the name of the job (default: the program's name)")
    parser.add_argument(
        "--type", help="the type of the job, which groups similar jobs for estimates (default: the job's name)"
    )
    parser.add_argument("-m", dest="module", action="store_true", help="run a module instead of a file")
    parser.add_argument("program")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser


def _job(client: Client, arguments: argparse.Namespace) -> Job:
    if surrounding_job_id(client._http.settings) is not None:
        return client.attach()
    name = arguments.name or (arguments.program if arguments.module else Path(arguments.program).stem)
    return client.job(name, job_type=arguments.type or name)


if __name__ == "__main__":
    main()
