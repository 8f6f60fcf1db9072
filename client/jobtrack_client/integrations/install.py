"""Turns what a program does already into reports: its log records, and its bars of tqdm."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType

from jobtrack_client._jobs import context
from jobtrack_client._jobs.job import Job
from jobtrack_client._jobs.log_handler import tap
from jobtrack_client._runtime.import_hooks import when_imported


@contextmanager
def install(job: Job, *, logging: bool = True, tqdm: bool = True) -> Iterator[Job]:
    """Report to the job, until the `with` statement ends, what this program logs and how far its bars have come.

    What passes the level and filters of its logger becomes a log line, whatever handlers there are; nothing changes in
    what they do, nor in what `logging.basicConfig` does. Bars of tqdm become stages: the outermost of each thread or
    task by its first description, else by the file and line that made it. It is the job of all code that has none.
    """
    with ExitStack() as stack:
        context.install_default(job)
        stack.callback(context.remove_default, job)
        if logging:
            stack.callback(tap(job.logging_handler()))
        if tqdm:
            stack.callback(follow_tqdm())
        yield job


def follow_tqdm() -> Callable[[], None]:
    """Follow every bar of tqdm, now or when it is imported; answers what undoes it."""
    undoing = ExitStack()

    def follow(module: ModuleType) -> None:
        from jobtrack_client.integrations.tqdm_patch import follow

        undoing.callback(follow(module.tqdm))

    undoing.callback(when_imported("tqdm.std", follow))
    return undoing.close
