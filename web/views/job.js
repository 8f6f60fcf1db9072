// One job: its progress, and a tab for each of its views.

import { moment, span } from "../format.js";
import { Live } from "../live.js";
import { Bar, Problem, Status, Tabs, useResponse } from "../parts.js";
import { jobPath, progressPath } from "../routes.js";
import { t } from "../strings.js";
import { html, useEffect, useState } from "../vendor/preact.js";
import { Dependencies } from "./dependencies.js";
import { Logs } from "./logs.js";
import { Metrics } from "./metrics.js";
import { Overview } from "./overview.js";
import { Subscriptions } from "./subscriptions.js";

/**
 * @import { Api } from "../api.js"
 * @import { Transport } from "../live.js"
 */

const VIEWS = {
  overview: Overview,
  logs: Logs,
  metrics: Metrics,
  dependencies: Dependencies,
  subscriptions: Subscriptions,
};
const ENDED = ["Completed", "Failed", "Cancelled"];

/** @param {{api: Api, jobId: string, tab?: string}} props */
export function Job({ api, jobId, tab = "overview" }) {
  const [tick, setTick] = useState(0);
  const [transport, setTransport] = useState(/** @type {Transport} */ ("polling"));
  const { body: progress, refused } = useResponse(api, progressPath(jobId), tick);
  const { body: job } = useResponse(api, jobPath(jobId), tick);
  const ended = progress !== undefined && ENDED.includes(progress.status);
  const loaded = progress !== undefined;
  useEffect(() => {
    if (!loaded || ended) return undefined;
    const live = new Live(api, jobId, () => setTick((now) => now + 1), setTransport);
    return () => live.stop();
  }, [api, jobId, loaded, ended]);
  useEffect(() => {
    document.title = progress ? `${progress.overallProgress.percentage} % ${progress.jobName}` : "jobtrack";
  }, [progress]);
  const selected = isView(tab) ? tab : "overview";
  const View = VIEWS[selected];
  const tabs = Object.keys(VIEWS).map((name) => ({ name, text: t(name), href: `#/job/${jobId}/${name}` }));
  return html`<main id="content">
    <a class="back" href="#/">← ${t("allJobs")}</a>
    ${refused && html`<${Problem} refused=${refused} />`}
    ${
      progress &&
      html`<${Head} progress=${progress} job=${job} transport=${ended ? null : transport} />
      <${Tabs} label=${progress.jobName} items=${tabs} selected=${selected} />
      <${View} api=${api} jobId=${jobId} tick=${tick} progress=${progress} ended=${ended} />`
    }
  </main>`;
}

/**
 * @param {string} tab
 * @returns {tab is keyof typeof VIEWS}
 */
function isView(tab) {
  return Object.hasOwn(VIEWS, tab);
}

/** @param {{progress: Schema<"Progress">, job?: Schema<"Job">, transport: Transport | null}} props */
function Head({ progress, job, transport }) {
  const overall = progress.overallProgress;
  const status = progress.stalled ? "Stalled" : progress.status;
  return html`<header class="job">
    <div class="headline">
      <h1>${progress.jobName}</h1>
      <${Status} status=${status} />
      ${transport && html`<span class="transport ${transport}" title=${t(`${transport}Hint`)}>${t(transport)}</span>`}
    </div>
    <div class="how">
      <${Bar}
        percentage=${overall.percentage}
        status=${progress.status}
        label=${t("progressOf", { name: progress.jobName })}
      />
      <span class="figure">${overall.percentage} %</span>
    </div>
    <p class="facts" role="status">${facts(progress).filter(Boolean).join(" · ")}</p>
    ${job?.error && html`<p class="error" role="alert">${job.error.message}</p>`}
    ${progress.status === "Running" && progress.currentActivity.operation && html`<p class="dim">${progress.currentActivity.operation}</p>`}
  </header>`;
}

/** @param {Schema<"Progress">} progress */
function facts({ status, overallProgress: overall }) {
  if (status === "Running") {
    const remaining = span(overall.remainingSeconds);
    return [
      remaining === null ? t("unknownRemaining") : t("remaining", { time: remaining }),
      overall.estimatedCompletion && t("ends", { time: moment(overall.estimatedCompletion) }),
      t("elapsed", { time: span(overall.elapsedSeconds) }),
    ];
  }
  if (status === "Queued") return [];
  return [
    overall.elapsedSeconds !== null && t("took", { time: span(overall.elapsedSeconds) }),
    moment(overall.endTime),
  ];
}
