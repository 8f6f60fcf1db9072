// One job: how far it is, and a tab for each thing there is to know of it.

import { html, useEffect, useState } from "../vendor/preact.js";
import { moment, span } from "../format.js";
import { path } from "../api.js";
import { Live } from "../live.js";
import { Bar, Problem, Status, Tabs, useAnswer } from "../parts.js";
import { t } from "../strings.js";
import { Dependencies } from "./dependencies.js";
import { Logs } from "./logs.js";
import { Metrics } from "./metrics.js";
import { Overview } from "./overview.js";
import { Pushes } from "./pushes.js";

const VIEWS = { overview: Overview, logs: Logs, metrics: Metrics, dependencies: Dependencies, pushes: Pushes };
export const ENDED = ["Completed", "Failed", "Cancelled"];

export function Job({ api, jobId, tab = "overview" }) {
  const [tick, setTick] = useState(0);
  const [way, setWay] = useState("polling");
  const { answer: progress, refused } = useAnswer(api, path`/job/${jobId}/progress`, tick);
  const { answer: job } = useAnswer(api, path`/job/${jobId}`, tick);
  const ended = ENDED.includes(progress?.status);
  const known = progress !== undefined;
  useEffect(() => {
    if (!known || ended) return undefined;
    const live = new Live(api, jobId, () => setTick((now) => now + 1), setWay);
    return () => live.stop();
  }, [api, jobId, known, ended]);
  useEffect(() => {
    document.title = progress ? `${progress.overallProgress.percentage} % ${progress.jobName}` : "jobtrack";
  }, [progress]);
  const chosen = Object.hasOwn(VIEWS, tab) ? tab : "overview";
  const View = VIEWS[chosen];
  const tabs = Object.keys(VIEWS).map((name) => ({ name, text: t(name), href: `#/job/${jobId}/${name}` }));
  return html`<main id="content">
    <a class="back" href="#/">← ${t("allJobs")}</a>
    ${refused && html`<${Problem} refused=${refused} />`}
    ${progress &&
    html`<${Head} progress=${progress} job=${job} way=${ended ? null : way} />
      <${Tabs} label=${progress.jobName} items=${tabs} chosen=${chosen} />
      <${View} api=${api} jobId=${jobId} tick=${tick} progress=${progress} ended=${ended} />`}
  </main>`;
}

function Head({ progress, job, way }) {
  const overall = progress.overallProgress;
  const status = progress.stalled ? "Stalled" : progress.status;
  return html`<header class="job">
    <div class="headline">
      <h1>${progress.jobName}</h1>
      <${Status} status=${status} />
      ${way && html`<span class="way ${way}" title=${t(way === "socket" ? "liveHint" : "pollingHint")}>
        ${t(way === "socket" ? "live" : "polling")}
      </span>`}
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

function facts({ status, overallProgress: overall }) {
  if (status === "Running") {
    const left = span(overall.remainingSeconds);
    return [
      left === null ? t("unknownRemaining") : t("remaining", { time: left }),
      overall.estimatedCompletion && t("ends", { time: moment(overall.estimatedCompletion) }),
      t("elapsed", { time: span(overall.elapsedSeconds) }),
    ];
  }
  if (status === "Queued") return [];
  return [overall.elapsedSeconds !== null && t("took", { time: span(overall.elapsedSeconds) }), moment(overall.endTime)];
}
