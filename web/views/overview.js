// Stages on a time axis, and what happened.

import { html } from "../vendor/preact.js";
import { moment, number, span } from "../format.js";
import { path } from "../api.js";
import { Status, useAnswer } from "../parts.js";
import { t } from "../strings.js";

const TICKS = [0, 0.25, 0.5, 0.75, 1];
const FEWER_MS = 4000; // of an axis whose five moments would not be five different seconds
const NEWEST = 100;

export function Overview({ api, jobId, tick, progress }) {
  const query = new URLSearchParams({ granularity: "major_events", includeSubEvents: "true" });
  const { answer } = useAnswer(api, path`/job/${jobId}/timeline?${query}`, tick);
  return html`<${Stages} progress=${progress} />
    <section aria-labelledby="timeline">
      <h2 id="timeline">${t("timeline")}</h2>
      ${answer && !answer.timeline.length && html`<p class="dim">${t("nothingYet")}</p>`}
      <ol class="timeline">
        ${answer?.upcomingEvents.toReversed().map(
          (event) => html`<li class="coming" key=${event.eventType + event.description}>
            <time datetime=${event.estimatedTime}>${moment(event.estimatedTime, true)}</time>
            <span>${event.description}</span>
          </li>`,
        )}
        ${answer?.timeline.slice(-NEWEST).toReversed().map(
          (event) => html`<li class=${event.eventType} key=${event.sequence}>
            <time datetime=${event.timestamp}>${moment(event.timestamp, true)}</time>
            <span>${event.description}</span>
          </li>`,
        )}
      </ol>
    </section>`;
}

function Stages({ progress }) {
  const { stages, overallProgress: overall } = progress;
  if (!stages.length) return html`<p class="dim">${t("noStages")}</p>`;
  const axis = timeAxis(stages, overall, Date.parse(progress.lastUpdated));
  return html`<section aria-labelledby="stages">
    <h2 id="stages">${t("stages")}</h2>
    <ol class="stages">
      ${stages.map((stage) => html`<${Stage} key=${stage.stageName} stage=${stage} axis=${axis} />`)}
    </ol>
    ${axis &&
    html`<div class="axis" aria-hidden="true">
      ${(axis.length < FEWER_MS ? [0, 1] : TICKS).map((at) => html`<span key=${at}>${moment(axis.start + at * axis.length, axis.length < 600000)}</span>`)}
    </div>`}
  </section>`;
}

function Stage({ stage, axis }) {
  const began = stage.startTime ?? stage.estimatedStartTime;
  const place = axis && began ? axis.place(began, stage.endTime ?? stage.estimatedEndTime) : null;
  return html`<li>
    <div class="label">
      <span class="name">${stage.stageName}</span>
      <${Status} status=${stage.status} />
    </div>
    <div class="track">
      ${place &&
      html`<div class="block ${stage.status}" style=${place}>
        <div style=${{ width: `${stage.status === "Running" ? stage.progress : 100}%` }}></div>
      </div>`}
    </div>
    <span class="dim">${told(stage)}</span>
    ${stage.error && html`<p class="error">${stage.error.message}</p>`}
  </li>`;
}

function told(stage) {
  const done = stage.recordsProcessed === null ? null : number(stage.recordsProcessed);
  const records =
    done === null
      ? null
      : stage.totalRecords === null
        ? t("recordsDone", { done })
        : t("records", { done, total: number(stage.totalRecords) });
  const percentage = stage.status === "Running" ? `${stage.progress} %` : null;
  const coming = stage.status === "Pending" && stage.estimatedStartTime;
  const starts = coming ? t("starts", { time: moment(coming, true) }) : null;
  return [percentage, span(stage.durationSeconds), records, starts].filter(Boolean).join(" · ");
}

/** From the job's start to its end, or to where it is expected; null before it started. */
function timeAxis(stages, overall, now) {
  const start = Date.parse(overall.startTime ?? NaN);
  if (Number.isNaN(start)) return null;
  const ends = stages.flatMap((stage) => [stage.endTime, stage.estimatedEndTime]).filter(Boolean).map(Date.parse);
  const end = Math.max(Date.parse(overall.endTime ?? overall.estimatedCompletion) || now, now, ...ends, start + 1000);
  const length = end - start;
  const share = (time) => (100 * Math.min(Math.max(time - start, 0), length)) / length;
  return {
    start,
    length,
    place: (from, to) => {
      const left = share(Date.parse(from));
      return { left: `${left}%`, width: `${Math.max(share(to ? Date.parse(to) : now) - left, 0.5)}%` };
    },
  };
}
