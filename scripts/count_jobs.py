"""Count jobs that were written before there were counters: `python -m scripts.count_jobs --help`.

Run it once after the update that brings the counters. Until then, the queue position in the response to a new job, and
figures about queues of more than a thousand jobs, leave out older jobs. The API may be in use meanwhile. If it is
interrupted, run it again: it counts no job twice.
"""

import argparse

from jobtrack import aws
from jobtrack.store.job_recount import JobRecounter


def _main() -> None:
    parser = argparse.ArgumentParser(description="Count the jobs that were written before there were counters.")
    parser.add_argument("--jobs", required=True, help="name of the jobs table (output JobsTable of the stack)")
    options = parser.parse_args()
    count = 0
    for key in JobRecounter(aws.client("dynamodb"), options.jobs).run():
        count += 1
        print(f"counted {key.partition}")
    print(f"counted {count} jobs; all others were counted before")


if __name__ == "__main__":
    _main()
