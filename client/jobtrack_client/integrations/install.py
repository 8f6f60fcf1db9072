"""Reports a program's log records and its bars of tqdm."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType

from jobtrack_client._jobs import context
from jobtrack_client._jobs.job import Job
from jobtrack_client._jobs.log_handler import tap
from jobtrack_client._runtime.import_hooks import when_imported


@contextmanager
def install(job: Job, *, logging: bool = True, tqdm: bool = True) -> Iterator[Job]:
    """Report this program's log records and bars of tqdm to a job, until the `with` statement ends.

    Records that pass the level and filters of their logger become log lines. Handlers and `logging.basicConfig` work as
    before. The outermost bar of each thread or task becomes a stage. Its name is the bar's first description, or the
    file and line of the code that made it. The job becomes current for all code without a job.
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
    """Follow every bar of tqdm, as soon as it is imported. Return a function that undoes this."""
    undoing = ExitStack()

    def follow(module: ModuleType) -> None:
        from jobtrack_client.integrations.tqdm_patch import follow

        undoing.callback(follow(module.tqdm))

    undoing.callback(when_imported("tqdm.std", follow))
    return undoing.close
