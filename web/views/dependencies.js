// What the job waits for and what waits for it, as a graph and as lists.

import { moment } from "../format.js";
import { Problem, Status, useResponse } from "../parts.js";
import { dependenciesPath } from "../routes.js";
import { t } from "../strings.js";
import { html } from "../vendor/preact.js";

/**
 * @import { Api } from "../api.js"
 * @typedef {{x: number, y: number}} Point
 * @typedef {{href?: string, name: string, more: string | null, status: string | null}} Row
 */

const BOX = { width: 190, height: 46, columnWidth: 250, rowHeight: 62 };
const LONGEST_NAME = 24;

/** @param {{api: Api, jobId: string, tick: number}} props */
export function Dependencies({ api, jobId, tick }) {
  const { body, refused } = useResponse(api, dependenciesPath(jobId), tick);
  if (refused) return html`<${Problem} refused=${refused} />`;
  if (!body) return null;
  const { prerequisiteJobs, dependentJobs, resourceDependencies } = body.dependencies;
  const hasGraph = prerequisiteJobs.length + dependentJobs.length > 0;
  return html`${hasGraph && html`<${Graph} dependencies=${body} />`}
    <div class="columns">
      <${Group} title=${t("waitsFor")} rows=${prerequisiteJobs.map((job) => jobRow(job, job.dependency))} />
      <${Group} title=${t("requiredBy")} rows=${dependentJobs.map((job) => jobRow(job, job.waitingFor))} />
      <${Group} title=${t("uses")} rows=${resourceDependencies.map(resourceRow)} />
      <${Group} title=${t("blockedBy")} rows=${body.blockingConditions.map(conditionRow)} />
    </div>`;
}

/**
 * @param {{jobId: string, jobName: string | null, status: string | null}} job
 * @param {string | null} more
 * @returns {Row}
 */
function jobRow({ jobId, jobName, status }, more) {
  return { href: `#/job/${jobId}`, name: jobName ?? jobId, more, status };
}

/**
 * @param {Schema<"ResourceDependency">} resource
 * @returns {Row}
 */
function resourceRow({ resourceType, resourceId, resourceName, allocatedAt, status }) {
  const more = allocatedAt ? `${resourceType} · ${moment(allocatedAt)}` : resourceType;
  return { name: resourceName ?? resourceId, more, status };
}

/**
 * @param {Schema<"ConditionState">} condition
 * @returns {Row}
 */
function conditionRow({ condition, resolution, status }) {
  return { name: condition, more: resolution, status };
}

/** @param {{title: string, rows: Row[]}} props */
function Group({ title, rows }) {
  return html`<section>
    <h2>${title}</h2>
    ${!rows.length && html`<p class="dim">${t("none")}</p>`}
    <ul class="plain">
      ${rows.map(
        ({ href, name, more, status }, index) => html`<li key=${index}>
          ${href ? html`<a href=${href}>${name}</a>` : name} ${status && html`<${Status} status=${status} />`}
          ${more && html`<div class="dim">${more}</div>`}
        </li>`,
      )}
    </ul>
  </section>`;
}

/** @param {{dependencies: Schema<"Dependencies">}} props */
function Graph({ dependencies }) {
  const { nodes, places, width, height } = layOut(dependencies);
  const edges = dependencies.dependencyGraph.edges.flatMap((edge) => {
    const [from, to] = [places.get(edge.from), places.get(edge.to)];
    return from && to ? [{ key: edge.from + edge.to, line: curve(from, to) }] : [];
  });
  return html`<div class="scroll">
    <svg class="graph" role="group" aria-label=${t("graph")} width=${width + 2} height=${height} viewBox="-1 -1 ${width + 2} ${height}">
      ${edges.map(({ key, line }) => html`<path key=${key} d=${line} />`)}
      ${nodes.map((node) => html`<${Box} key=${node.id} node=${node} place=${places.get(node.id)} own=${node.id === dependencies.jobId} />`)}
    </svg>
  </div>`;
}

/**
 * Place jobs in columns by their distance from this job: its prerequisites to the left, its dependents to the right.
 * @param {Schema<"Dependencies">} dependencies
 */
function layOut({ jobId, dependencies: { prerequisiteJobs, dependentJobs }, dependencyGraph }) {
  const distances = new Map([
    .../** @type {[string, number][]} */ (prerequisiteJobs.map((job) => [job.jobId, -job.distance])),
    .../** @type {[string, number][]} */ (dependentJobs.map((job) => [job.jobId, job.distance])),
    [jobId, 0],
  ]);
  const nodes = dependencyGraph.nodes.filter((node) => distances.has(node.id));
  const columns = Map.groupBy(nodes, (node) => distances.get(node.id) ?? 0);
  const [first, last] = [Math.min(...columns.keys()), Math.max(...columns.keys())];
  const rows = Math.max(...[...columns.values()].map((column) => column.length));
  /** @type {Map<string, Point>} */
  const places = new Map();
  for (const [column, members] of columns) {
    members.forEach((node, index) => {
      const y = ((rows - members.length) / 2 + index) * BOX.rowHeight;
      places.set(node.id, { x: (column - first) * BOX.columnWidth, y });
    });
  }
  return { nodes, places, width: (last - first) * BOX.columnWidth + BOX.width, height: rows * BOX.rowHeight };
}

/** @param {{node: Schema<"Node">, place: Point, own: boolean}} props */
function Box({ node, place, own }) {
  const name = node.jobName ?? node.id;
  const status = node.status ? t(node.status) : "–";
  return html`<a href="#/job/${node.id}" aria-label="${name}: ${status}">
    <g transform="translate(${place.x} ${place.y})" class=${own ? "own" : ""}>
      <rect width=${BOX.width} height=${BOX.height} rx="8" />
      <text x="12" y="20">${shorten(name)}</text>
      <text x="12" y="37" class="state">${own ? t("thisJob") : status}</text>
    </g>
  </a>`;
}

/** @param {string} name */
function shorten(name) {
  const characters = [...name]; // whole code points
  return characters.length > LONGEST_NAME ? `${characters.slice(0, LONGEST_NAME - 1).join("")}…` : name;
}

/**
 * Return the path of a curve between two boxes.
 * @param {Point} from
 * @param {Point} to
 */
function curve(from, to) {
  const [left, right] = from.x <= to.x ? [from, to] : [to, from];
  const [x1, y1, x2, y2] = [left.x + BOX.width, left.y + BOX.height / 2, right.x, right.y + BOX.height / 2];
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
}
