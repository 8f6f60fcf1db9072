// The job's stages on a time axis, and its timeline.

import { moment, number, span } from "../format.js";
import { Status, useResponse } from "../parts.js";
import { timelinePath } from "../routes.js";
import { t } from "../strings.js";
import { html } from "../vendor/preact.js";

/**
 * @import { Api } from "../api.js"
 * @typedef {{start: number, length: number, place: (from: string, to: string | null) => {left: string, width: string}}} Axis
 */

const TICKS = [0, 0.25, 0.5, 0.75, 1];
const SHORT_AXIS_MS = 4000; // on a shorter axis, two of the five ticks could show the same second
const SECONDS_AXIS_MS = 600000; // on a shorter axis, ticks show seconds
const MAX_EVENTS = 100;

/** @param {{api: Api, jobId: string, tick: number, progress: Schema<"Progress">}} props */
export function Overview({ api, jobId, tick, progress }) {
  const { body } = useResponse(api, timelinePath(jobId), tick);
  return html`<${Stages} progress=${progress} />
    <section aria-labelledby="timeline">
      <h2 id="timeline">${t("timeline")}</h2>
      ${body && !body.timeline.length && html`<p class="dim">${t("noEvents")}</p>`}
      <ol class="timeline">
        ${body?.upcomingEvents.toReversed().map(
          (event) => html`<li class="upcoming" key=${event.eventType + event.description}>
            <time datetime=${event.estimatedTime}>${moment(event.estimatedTime, true)}</time>
            <span>${event.description}</span>
          </li>`,
        )}
        ${body?.timeline
          .slice(-MAX_EVENTS)
          .toReversed()
          .map(
            (event) => html`<li class=${event.eventType} key=${event.sequence}>
            <time datetime=${event.timestamp}>${moment(event.timestamp, true)}</time>
            <span>${event.description}</span>
          </li>`,
          )}
      </ol>
    </section>`;
}

/** @param {{progress: Schema<"Progress">}} props */
function Stages({ progress }) {
  const { stages } = progress;
  if (!stages.length) return html`<p class="dim">${t("noStages")}</p>`;
  const axis = timeAxis(progress);
  return html`<section aria-labelledby="stages">
    <h2 id="stages">${t("stages")}</h2>
    <ol class="stages">
      ${stages.map((stage) => html`<${Stage} key=${stage.stageName} stage=${stage} axis=${axis} />`)}
    </ol>
    ${axis && html`<${Ticks} axis=${axis} />`}
  </section>`;
}

/** @param {{axis: Axis}} props */
function Ticks({ axis: { start, length } }) {
  const ticks = length < SHORT_AXIS_MS ? [0, 1] : TICKS;
  return html`<div class="axis" aria-hidden="true">
    ${ticks.map((share) => html`<span key=${share}>${moment(start + share * length, length < SECONDS_AXIS_MS)}</span>`)}
  </div>`;
}

/** @param {{stage: Schema<"Stage">, axis: Axis | null}} props */
function Stage({ stage, axis }) {
  const start = stage.startTime ?? stage.estimatedStartTime;
  const place = axis && start ? axis.place(start, stage.endTime ?? stage.estimatedEndTime) : null;
  return html`<li>
    <div class="label">
      <span class="name">${stage.stageName}</span>
      <${Status} status=${stage.status} />
    </div>
    <div class="track">
      ${
        place &&
        html`<div class="block ${stage.status}" style=${place}>
        <div style=${{ width: `${stage.status === "Running" ? stage.progress : 100}%` }}></div>
      </div>`
      }
    </div>
    <span class="dim">${describeStage(stage)}</span>
    ${stage.error && html`<p class="error">${stage.error.message}</p>`}
  </li>`;
}

/** @param {Schema<"Stage">} stage */
function describeStage(stage) {
  const percentage = stage.status === "Running" ? `${stage.progress} %` : null;
  const start = stage.status === "Pending" && stage.estimatedStartTime;
  const starts = start ? t("starts", { time: moment(start, true) }) : null;
  return [percentage, span(stage.durationSeconds), describeRecords(stage), starts].filter(Boolean).join(" · ");
}

/** @param {Schema<"Stage">} stage */
function describeRecords({ recordsProcessed, totalRecords }) {
  if (recordsProcessed === null) return null;
  const done = number(recordsProcessed);
  return totalRecords === null ? t("recordsDone", { done }) : t("records", { done, total: number(totalRecords) });
}

/**
 * Return the axis from the job's start to its end or expected end; null before it started.
 * @param {Schema<"Progress">} progress
 * @returns {Axis | null}
 */
function timeAxis({ stages, overallProgress: overall, lastUpdated }) {
  if (!overall.startTime) return null;
  const [start, now] = [Date.parse(overall.startTime), Date.parse(lastUpdated)];
  const ends = [
    overall.endTime ?? overall.estimatedCompletion,
    ...stages.flatMap((stage) => [stage.endTime, stage.estimatedEndTime]),
  ];
  const end = Math.max(now, start + 1000, ...ends.flatMap((time) => (time ? [Date.parse(time)] : [])));
  const length = end - start;
  /** @param {number} time */
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
