// The jobs of the project.

import { moment } from "../format.js";
import { Bar, Empty, Problem, Status, Tabs, useClock, useResponse } from "../parts.js";
import { jobsPath } from "../routes.js";
import { t } from "../strings.js";
import { html, useEffect, useState } from "../vendor/preact.js";

/**
 * @import { Api } from "../api.js"
 * @typedef {Schema<"TrackedJob">} TrackedJob
 */

const STATUSES = ["Running", "Queued", "Completed", "Failed", "Cancelled"];
const POLL_MS = 3000;
const PAGE = 50;
const LARGEST_PAGE = 200;

/** @param {{api: Api, status: string | undefined}} props */
export function Jobs({ api, status: requested }) {
  const status = STATUSES.find((name) => name === requested);
  const [limit, setLimit] = useState(PAGE);
  useEffect(() => setLimit(PAGE), [status]);
  const { body: newest, refused } = useResponse(api, jobsPath({ status, limit }), useClock(POLL_MS));
  const [older, setOlder] = useState(/** @type {Schema<"Batch">[]} */ ([]));
  useEffect(() => setOlder([]), [api, status]);
  const cursor = (older.at(-1) ?? newest)?.nextCursor;
  const more = async () => {
    if (limit < LARGEST_PAGE) return setLimit(LARGEST_PAGE);
    setOlder([...older, await api.get(jobsPath({ status, limit: LARGEST_PAGE, cursor }))]);
  };
  const jobs = distinct([newest, ...older].flatMap((page) => page?.jobs ?? []));
  return html`<main id="content">
    <div class="headline">
      <h1>${t("jobs")}</h1>
      ${
        newest?.systemHealth.overallLoad != null &&
        html`<span class="dim">${t("load", { n: newest.systemHealth.overallLoad })}</span>`
      }
    </div>
    <${Tabs} label=${t("status")} items=${statusTabs()} selected=${status} />
    ${refused && html`<${Problem} refused=${refused} />`}
    ${newest && !jobs.length && html`<${Empty} ...${emptiness(status)} />`}
    <ul class="jobs">
      ${jobs.map((job) => html`<${Row} key=${job.jobId} job=${job} />`)}
    </ul>
    ${cursor && html`<button onClick=${more}>${t("more")}</button>`}
  </main>`;
}

function statusTabs() {
  const tabs = STATUSES.map((name) => ({ name, text: t(name), href: `#/jobs/${name}` }));
  return [{ name: undefined, text: t("all"), href: "#/" }, ...tabs];
}

/** @param {{job: TrackedJob}} props */
function Row({ job }) {
  return html`<li>
    <a href="#/job/${job.jobId}" class="name">${job.jobName}</a>
    <${Status} status=${job.stalled ? "Stalled" : job.status} />
    <div class="how">
      <${Bar} percentage=${job.progress} status=${job.status} label=${t("progressOf", { name: job.jobName })} />
      <span class="figure">${job.progress} %</span>
    </div>
    <span class="dim where">${job.currentStage ?? (job.queuePosition && t("queuePosition", { n: job.queuePosition }))}</span>
    <span class="dim when">${describeTime(job)}</span>
  </li>`;
}

/** @param {TrackedJob} job */
function describeTime(job) {
  if (job.status === "Queued") return job.estimatedStartTime && t("starts", { time: moment(job.estimatedStartTime) });
  if (job.status === "Running") return job.estimatedCompletion && t("ends", { time: moment(job.estimatedCompletion) });
  return moment(job.estimatedCompletion ?? job.startTime);
}

/**
 * Remove duplicates: a job can move from one page to the next while the pages are read.
 * @param {TrackedJob[]} jobs
 */
function distinct(jobs) {
  return [...new Map(jobs.map((job) => [job.jobId, job])).values()];
}

/** @param {string | undefined} status */
function emptiness(status) {
  return status
    ? { title: t("noJobsWithStatus", { status: t(status) }) }
    : { title: t("noJobs"), hint: t("noJobsHint") };
}
