"""Reads a page of a project's jobs, newest first. A page that would not fit into a response ends early."""

from msgspec import Struct

from jobtrack import times
from jobtrack.api import cursors
from jobtrack.api.schemas.project_queries import JobsQuery
from jobtrack.keys import ProjectKey
from jobtrack.store.job_lists import JobLister
from jobtrack.store.status_index import Place
from jobtrack.views import job as view
from jobtrack.views.page_size import take_fitting
from jobtrack.views.responses.job import Job


class JobPages(Struct, frozen=True):
    """Reads pages of a project's jobs."""

    lister: JobLister

    def read_page(self, owner: ProjectKey, query: JobsQuery) -> tuple[list[Job], str | None]:
        """Return the jobs that the query asks for, and the cursor of the next page."""
        return cursors.read_page(
            f"{owner.partition}/jobs", cursors.JOBS, query.cursor, lambda after: self._read_jobs(owner, query, after)
        )

    def _read_jobs(self, owner: ProjectKey, query: JobsQuery, after: Place | None) -> tuple[list[Job], Place | None]:
        snapshots, last = self.lister.read_page(owner, query.job_filter, query.limit, after)
        self.lister.add_metadata(snapshots)
        now = times.now()
        fitting = take_fitting(view.job(snapshot.key, snapshot.job, now) for snapshot in snapshots)
        return fitting, last if len(fitting) == len(snapshots) else Place.of(snapshots[len(fitting) - 1].job)
