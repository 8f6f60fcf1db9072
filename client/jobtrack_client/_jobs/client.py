"""The blocking client of one project, which also makes jobs that report in the background."""

from typing import Unpack

from jobtrack_client._api import bodies
from jobtrack_client._api._sync import client as blocking
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
from jobtrack_client.types import Allocation, JobDescription, StartedData

_STARTED = table(StartedData)


class JobArguments(JobDescription, total=False):
    """The arguments of `Client.job`, except the job's name and type."""

    job_id: str | None
    heartbeat_seconds: int | None
    estimated_seconds: float | None
    resources_allocated: Allocation | None
    attach: bool
    resume: bool
    required: bool
    options: ReporterOptions | None


class Client(blocking.Client):
    __doc__ = blocking.Client.__doc__

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
        """Return a job that this process runs. Its `with` statement creates, starts and ends it.

        The job runs even if it cannot be tracked. If the service refuses it or cannot be reached, a warning goes to the
        logger `jobtrack_client`. With `required`, entering the `with` statement raises an exception instead.

        `attach` starts the existing job `job_id`; its description is not sent. `resume` continues the job `job_id`,
        which an earlier process may have started. If the job does not exist, it is created. A signal that ends this
        process does not cancel a resumed job.

        If this process already works for a job (`jobtrack run` and `python -m jobtrack_client` set JOBTRACK_JOB_ID),
        its stages and log lines are added to that job, and a failure is only logged. To report a separate job, pass a
        `job_id`.

        SIGTERM and SIGHUP cancel the job within 5 seconds before they end the process, unless the program handles them
        itself. For this, the job must begin in the main thread. If the interpreter ends before the job, the job fails
        with the uncaught exception, or else is cancelled.

        The service marks a job as stalled if it receives nothing for `heartbeat_seconds` (10 to 86400; None or 0:
        never). While this process lives, a silent job sends a heartbeat every 100 seconds, or after a third of
        `heartbeat_seconds` if that is shorter.

        `estimated_seconds` and `resources_allocated` are sent when the job starts. Values beyond the limits of the
        service are shortened or converted.

        Raises:
            ConfigurationError: an id is not a GUID, or `attach` has no `job_id`.
            TypeError: an argument is unknown or has a type that it cannot have.
            ValueError: an argument has a value that it cannot have.
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
        """Return a job that another process runs. Its `with` statement neither starts nor ends it.

        The default is the job of JOBTRACK_JOB_ID, which `jobtrack run` sets. Events wait until the other process has
        started the job. Heartbeats are sent as for `job`, except for the job of JOBTRACK_JOB_ID, because `jobtrack run`
        sends them.

        Raises:
            ConfigurationError: the `job_id` is missing or is not a GUID.
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
