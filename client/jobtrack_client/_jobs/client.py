"""The client of one project: calls that wait for their answer, and jobs that report in the background."""

from typing import Unpack

from jobtrack_client._api import _sync, bodies
from jobtrack_client._api.requests import encoded
from jobtrack_client._api.settings import current_job_id, surrounding_job_id
from jobtrack_client._exceptions import ConfigurationError
from jobtrack_client._jobs.context import current_job
from jobtrack_client._jobs.job import Job
from jobtrack_client._jobs.joined_job import JoinedJob, SharedJob
from jobtrack_client._reporting.delivery import Reported
from jobtrack_client._reporting.heartbeat import DEFAULT_SECONDS, silence
from jobtrack_client._reporting.options import ReporterOptions
from jobtrack_client._reporting.reporter import Reporter
from jobtrack_client._values.kinds import guid, number, string
from jobtrack_client._values.members import table, within_limits
from jobtrack_client.events import StartedData
from jobtrack_client.types import Allocation, JobDescription

_STARTED = table(StartedData)


class JobArguments(JobDescription, total=False):
    """The arguments of `Client.job`, beside the job's name and type."""

    job_id: str | None
    heartbeat_seconds: int | None
    estimated_seconds: float | None
    resources_allocated: Allocation | None
    attach: bool
    resume: bool
    required: bool
    options: ReporterOptions | None


class Client(_sync.Client):
    __doc__ = _sync.Client.__doc__

    def job(
        self,
        name: str,
        *,
        job_type: str,
        job_id: str | None = None,
        heartbeat_seconds: int | None = DEFAULT_SECONDS,
        estimated_seconds: float | None = None,
        resources_allocated: Allocation | None = None,
        attach: bool = False,
        resume: bool = False,
        required: bool = False,
        options: ReporterOptions | None = None,
        **description: Unpack[JobDescription],
    ) -> Job:
        """A job that this process runs and reports, created and started by its `with` statement.

        In a process that works for a job already (JOBTRACK_JOB_ID, which `jobtrack run` and `python -m jobtrack_client`
        set) it is that job: its stages and lines are added, what describes it is not sent, and its failure is a line of
        the log. To have a job of its own there, pass a `job_id`; the client of another project has one anyway.

        With `attach` the job `job_id` exists already, and is only started; what else describes it is not sent. With
        `resume` it may also run already, begun by a process that is no more: it is created and started unless it is. A
        signal that ends this process does not cancel it then.

        SIGTERM and SIGHUP, where they would end this process by default, cancel the job first: within 5 s, if it was
        begun in the main thread or beside a job that was. A handler of the program's own is left alone. A job that is
        still open when the interpreter ends is failed by the exception that ends it, else cancelled.

        The job runs whether or not it can be tracked: where the service refuses it or stays away, the logger
        `jobtrack_client` is warned. With `required`, entering the `with` statement raises instead.

        The service marks the job as stalled when it hears nothing for `heartbeat_seconds` (10 to 86400; None or 0: it
        never does). While this process lives, a heartbeat is sent after 100 s without a report, or a third of
        `heartbeat_seconds` if that is less, so a job that is quiet is not stalled, and one that was killed is.

        Values beyond the service's limits are shortened or converted. What can only be a mistake raises, here and at
        once: an unknown priority, stages that are no list.

        Raises:
            ConfigurationError: an id is not a GUID, or there is none to `attach` to.
            TypeError: an argument is of a type that it cannot have.
            ValueError: an argument is none of the values that it can have.
        """
        if attach and job_id is None:
            raise ConfigurationError("attach=True needs the job_id of a job that exists")
        if job_id is None and (surrounding := surrounding_job_id(self._http.settings)) is not None:
            return self._joined(name, surrounding, options)
        identity = self._key() if job_id is None else guid(job_id, "job_id")
        job = {"name": name, "job_type": job_type, "job_id": identity, **description}
        job["heartbeat_seconds"] = number(heartbeat_seconds) or None
        started: StartedData = {"resources_allocated": resources_allocated, "estimated_seconds": estimated_seconds}
        within_limits(started, _STARTED)  # a mistake raises now, and not when the job starts
        chosen = options or self._options()
        content = None if attach else encoded(bodies.job(job))
        quiet = silence(number(heartbeat_seconds))
        reported = Reported(identity, string(name), content, self._key(), resumed=resume, silence=quiet)
        return Job(identity, started, Reporter(self._http, reported, chosen), chosen, required=required)

    def attach(
        self,
        job_id: str | None = None,
        *,
        heartbeat_seconds: int | None = DEFAULT_SECONDS,
        options: ReporterOptions | None = None,
    ) -> Job:
        """A job that another process runs: what is reported here is added, and its `with` neither starts nor ends it.

        Without a `job_id` it is that of JOBTRACK_JOB_ID, which `jobtrack run` sets. What is reported before the job was
        created and started waits until it was. Heartbeats are sent as `job` does, except for the job of
        JOBTRACK_JOB_ID, for which `jobtrack run` sends them.

        Raises:
            ConfigurationError: there is no `job_id`, or it is not a GUID.
        """
        identity = current_job_id() if job_id is None else guid(job_id, "job_id")
        chosen = options or self._options()
        quiet = None if job_id is None else silence(heartbeat_seconds)
        reported = Reported(identity, identity, None, self._key(), joined=True, silence=quiet)
        return Job(identity, None, Reporter(self._http, reported, chosen), chosen, required=False)

    def _joined(self, name: str, job_id: str, options: ReporterOptions | None) -> Job:
        if (around := current_job()) is not None and around.job_id == job_id:
            return SharedJob(name, around)
        chosen = options or self._options()
        reporter = Reporter(self._http, Reported(job_id, string(name), None, self._key(), joined=True), chosen)
        return JoinedJob(name, job_id, reporter, chosen)

    def _options(self) -> ReporterOptions:
        return ReporterOptions(request_seconds=self._timeout, clock=self._clock, backoff=self._backoff)
