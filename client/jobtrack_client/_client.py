"""The client of one project: calls that wait for their answer, and jobs that report in the background."""

from collections.abc import Mapping, Sequence

from jobtrack_client import _sync
from jobtrack_client._context import current_job
from jobtrack_client._delivery import Reported
from jobtrack_client._exceptions import ConfigurationError
from jobtrack_client._job import Job
from jobtrack_client._joined import JoinedJob, SharedJob
from jobtrack_client._options import ReporterOptions
from jobtrack_client._reporter import Reporter
from jobtrack_client._requests import encoded
from jobtrack_client._settings import current_job_id, guid, surrounding_job_id


class Client(_sync.Client):
    __doc__ = _sync.Client.__doc__

    def job(
        self,
        name: str,
        *,
        job_type: str,
        stages: Sequence[str | Mapping[str, object]] | None = None,
        job_id: str | None = None,
        description: str | None = None,
        priority: str | None = None,
        submitted_by: str | None = None,
        prerequisites: Sequence[Mapping[str, object]] | None = None,
        resources: Sequence[Mapping[str, object]] | None = None,
        blocking_conditions: Sequence[Mapping[str, object]] | None = None,
        subscriptions: Sequence[Mapping[str, object]] | None = None,
        metadata: Mapping[str, object] | None = None,
        heartbeat_seconds: int | None = None,
        estimated_seconds: float | None = None,
        total_records: int | None = None,
        resources_allocated: Mapping[str, object] | None = None,
        attach: bool = False,
        resume: bool = False,
        required: bool = False,
        options: ReporterOptions | None = None,
    ) -> Job:
        """A job that this process runs and reports, created and started by its `with` statement.

        In a process that works for a job already (JOBTRACK_JOB_ID, which `jobtrack run` and `python -m jobtrack_client`
        set) it is that job: its stages and lines are added, what describes it is not sent, and its failure is a line of
        the log. To have a job of its own there, pass a `job_id`.

        With `attach` the job `job_id` exists already, and is only started; what else describes it is not sent. With
        `resume` it may also run already, begun by a process that is no more: it is created and started unless it is. A
        signal that ends this process does not cancel it then.

        SIGTERM and SIGHUP, where they would end this process by default, cancel the job first: within 5 s, if it was
        begun in the main thread or beside a job that was. A handler of the program's own is left alone. A job that is
        still open when the interpreter ends is failed by the exception that ends it, else cancelled.

        The job runs whether or not it can be tracked: where the service refuses it or stays away, the logger
        `jobtrack_client` is warned. With `required`, entering the `with` statement raises instead.

        Raises:
            ConfigurationError: `job_id` is not a GUID, or there is none to `attach` to.
        """
        if attach and job_id is None:
            raise ConfigurationError("attach=True needs the job_id of a job that exists")
        if job_id is None and (surrounding := surrounding_job_id()) is not None:
            return self._joined(name, surrounding, options)
        identity = self._key() if job_id is None else guid(job_id, "job_id")
        plan = None if stages is None else [{"stageName": item} if isinstance(item, str) else item for item in stages]
        body: dict[str, object] = {
            "jobId": identity,
            "jobName": name,
            "jobType": job_type,
            "jobDescription": description,
            "priority": priority,
            "submittedBy": submitted_by,
            "stages": plan,
            "totalRecords": total_records,
            "prerequisites": prerequisites,
            "resources": resources,
            "blockingConditions": blocking_conditions,
            "subscriptions": subscriptions,
            "heartbeatSeconds": heartbeat_seconds,
            "metadata": metadata,
        }
        started = {"resourcesAllocated": resources_allocated, "estimatedSeconds": estimated_seconds}
        chosen = options or self._options()
        reported = Reported(identity, name, None if attach else encoded(body), self._key(), resumed=resume)
        return Job(identity, started, Reporter(self._http, reported, chosen), chosen, required=required)

    def attach(self, job_id: str | None = None, *, options: ReporterOptions | None = None) -> Job:
        """A job that another process runs: what is reported here is added, and its `with` neither starts nor ends it.

        Without a `job_id` it is that of JOBTRACK_JOB_ID, which `jobtrack run` sets. What is reported before the job was
        created and started waits until it was.

        Raises:
            ConfigurationError: there is no `job_id`, or it is not a GUID.
        """
        identity = current_job_id() if job_id is None else guid(job_id, "job_id")
        chosen = options or self._options()
        reporter = Reporter(self._http, Reported(identity, identity, None, self._key(), joined=True), chosen)
        return Job(identity, None, reporter, chosen, required=False)

    def _joined(self, name: str, job_id: str, options: ReporterOptions | None) -> Job:
        if (around := current_job()) is not None and around.job_id == job_id:
            return SharedJob(name, around)
        chosen = options or self._options()
        reporter = Reporter(self._http, Reported(job_id, name, None, self._key(), joined=True), chosen)
        return JoinedJob(name, job_id, reporter, chosen)

    def _options(self) -> ReporterOptions:
        return ReporterOptions(request_seconds=self._timeout, clock=self._clock, backoff=self._backoff)
