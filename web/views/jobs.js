// All jobs of the project.

import { html, useEffect, useState } from "../vendor/preact.js";
import { moment } from "../format.js";
import { path } from "../api.js";
import { Bar, Empty, Problem, Status, Tabs, useAnswer, useClock } from "../parts.js";
import { t } from "../strings.js";

const STATUSES = ["Running", "Queued", "Completed", "Failed", "Cancelled"];
const LOOK_MS = 3000;
const PAGE = 50;

export function Jobs({ api, status: asked }) {
  const status = STATUSES.find((each) => each === asked);
  const [limit, setLimit] = useState(PAGE);
  useEffect(() => setLimit(PAGE), [status]);
  const wanted = new URLSearchParams({ limit: Math.min(limit, 200), ...(status && { status }) });
  const { answer, refused } = useAnswer(api, path`/tracking/batch?${wanted}`, useClock(LOOK_MS));
  const [older, setOlder] = useState([]);
  useEffect(() => setOlder([]), [api, status]);
  const tabs = [{ name: undefined, text: t("all"), href: "#/" }].concat(
    STATUSES.map((name) => ({ name, text: t(name), href: `#/jobs/${name}` })),
  );
  const cursor = older.length ? older.at(-1).nextCursor : answer?.nextCursor;
  const more = async () => {
    if (limit < 200) return setLimit(200);
    const query = new URLSearchParams({ limit: 200, cursor, ...(status && { status }) });
    const page = await api.ask("GET", path`/tracking/batch?${query}`);
    setOlder([...older, page.body]);
  };
  const jobs = distinct([answer, ...older].flatMap((page) => page?.jobs ?? []));
  return html`<main id="content">
    <div class="headline">
      <h1>${t("jobs")}</h1>
      ${answer?.systemHealth.overallLoad != null &&
      html`<span class="dim">${t("load", { n: answer.systemHealth.overallLoad })}</span>`}
    </div>
    <${Tabs} label=${t("status")} items=${tabs} chosen=${status} />
    ${refused && html`<${Problem} refused=${refused} />`}
    ${answer && !jobs.length && html`<${Empty} ...${emptiness(status)} />`}
    <ul class="jobs">
      ${jobs.map((job) => html`<${Row} key=${job.jobId} job=${job} />`)}
    </ul>
    ${cursor && html`<button onClick=${more}>${t("more")}</button>`}
  </main>`;
}

function Row({ job }) {
  return html`<li>
    <a href="#/job/${job.jobId}" class="name">${job.jobName}</a>
    <${Status} status=${job.stalled ? "Stalled" : job.status} />
    <div class="how">
      <${Bar} percentage=${job.progress} status=${job.status} label=${t("progressOf", { name: job.jobName })} />
      <span class="figure">${job.progress} %</span>
    </div>
    <span class="dim where">${job.currentStage ?? (job.queuePosition && t("queuePlace", { n: job.queuePosition }))}</span>
    <span class="dim when">${when(job)}</span>
  </li>`;
}

function when(job) {
  if (job.status === "Queued") return job.estimatedStartTime && t("starts", { time: moment(job.estimatedStartTime) });
  if (job.status === "Running") return job.estimatedCompletion && t("ends", { time: moment(job.estimatedCompletion) });
  return moment(job.estimatedCompletion ?? job.startTime);
}

/** A job that moved from one page to the next while they were read is shown once. */
function distinct(jobs) {
  return [...new Map(jobs.map((job) => [job.jobId, job])).values()];
}

function emptiness(status) {
  return status ? { title: t("noneSo", { status: t(status) }) } : { title: t("noJobs"), hint: t("noJobsHint") };
}
