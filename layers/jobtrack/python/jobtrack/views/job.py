"""`GET …/job/{jobId}` and each job of `GET …/jobs`."""

from jobtrack import times
from jobtrack.domain import formats
from jobtrack.domain.estimate import estimate
from jobtrack.domain.job import Job
from jobtrack.keys import JobKey
from jobtrack.times import Micros
from jobtrack.views.progress import completion, elapsed_seconds
from jobtrack.views.responses import job as responses
from jobtrack.views.responses.job_creation import NewJob


def job(key: JobKey, job: Job, now: Micros) -> responses.Job:
    """Return the response for a job at `now` (µs)."""
    running_stage = job.running_stage
    elapsed = elapsed_seconds(job, now)
    return {
        "jobId": job.job_id,
        "projectId": key.project,
        "jobType": job.type,
        "jobName": job.name,
        "jobDescription": job.description,
        "status": job.status,
        "stalled": job.stalled,
        "priority": job.priority,
        "submittedBy": job.submitted_by,
        "progress": {
            "percentage": job.percentage,
            "currentStage": running_stage.name if running_stage else None,
            "estimatedCompletion": completion(job, estimate(job, now)),
            "elapsedTime": None if elapsed is None else formats.duration(elapsed),
        },
        "createdAt": times.render(job.created_at),
        "startedAt": times.render_optional(job.started_at),
        "endedAt": times.render_optional(job.ended_at),
        "lastUpdated": times.render(job.updated_at),
        "lastSequence": job.sequence,
        "error": job.error,
        "metadata": job.metadata,
    }


def created_job(job: Job, queue_position: int, project_path: str) -> NewJob:
    """Return the response to the creation of a job without subscriptions."""
    path = f"{project_path}/job/{job.job_id}"
    return {
        "jobId": job.job_id,
        "jobName": job.name,
        "status": "Queued",
        "queuePosition": queue_position,
        "createdAt": times.render(job.created_at),
        "subscriptions": [],
        "links": {
            "self": path,
            "progress": f"{path}/progress",
            "logs": f"{path}/logs",
            "timeline": f"{path}/timeline",
            "metrics": f"{path}/metrics",
            "dependencies": f"{path}/dependencies",
            "events": f"{path}/events",
        },
    }
