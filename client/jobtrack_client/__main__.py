"""Runs a Python program as a tracked job, its log records as log lines and its bars of tqdm as stages."""

import argparse
import os
import runpy
import sys
from pathlib import Path

from jobtrack_client._client import Client
from jobtrack_client._exceptions import ConfigurationError
from jobtrack_client._install import install
from jobtrack_client._job import Job
from jobtrack_client._settings import JOB_VARIABLE


def main() -> None:
    """Run what the arguments say; below `jobtrack run` it reports to that job."""
    asked = _parser().parse_args()
    sys.argv = [asked.program, *asked.arguments]
    try:
        client = Client()
        job = _job(client, asked)
    except ConfigurationError as error:
        sys.exit(f"jobtrack_client: {error}")
    with client, job, install(job):
        _find_beside(Path.cwd() if asked.module else Path(asked.program).resolve().parent)
        if asked.module:
            runpy.run_module(asked.program, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(asked.program, run_name="__main__")


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
    if os.environ.get(JOB_VARIABLE):
        return client.attach()
    name = asked.name or (asked.program if asked.module else Path(asked.program).stem)
    return client.job(name, job_type=asked.type or name)


if __name__ == "__main__":
    main()
