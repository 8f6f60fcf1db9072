// What the job waits for and what waits for it: drawn, and as lists.

import { html } from "../vendor/preact.js";
import { moment } from "../format.js";
import { path } from "../api.js";
import { Problem, Status, useAnswer } from "../parts.js";
import { t } from "../strings.js";

const BOX = { width: 190, height: 46, across: 250, down: 62 };
const LONGEST_NAME = 24;

export function Dependencies({ api, jobId, tick }) {
  const { answer, refused } = useAnswer(api, path`/job/${jobId}/dependencies?depth=10`, tick);
  if (refused) return html`<${Problem} refused=${refused} />`;
  if (!answer) return null;
  const { prerequisiteJobs, dependentJobs, resourceDependencies } = answer.dependencies;
  const related = prerequisiteJobs.length + dependentJobs.length > 0;
  return html`${related && html`<${Graph} answer=${answer} />`}
    <div class="columns">
      <${Group} title=${t("waitsFor")} rows=${prerequisiteJobs.map(prerequisite)} />
      <${Group} title=${t("waitedForBy")} rows=${dependentJobs.map(dependent)} />
      <${Group} title=${t("uses")} rows=${resourceDependencies.map(resource)} />
      <${Group} title=${t("blockedBy")} rows=${answer.blockingConditions.map(condition)} />
    </div>`;
}

function prerequisite(job) {
  return { href: `#/job/${job.jobId}`, name: job.jobName ?? job.jobId, more: job.dependency, status: job.status };
}

function dependent(job) {
  return { href: `#/job/${job.jobId}`, name: job.jobName ?? job.jobId, more: job.waitingFor, status: job.status };
}

function resource(each) {
  const more = each.allocatedAt ? `${each.resourceType} · ${moment(each.allocatedAt)}` : each.resourceType;
  return { name: each.resourceName ?? each.resourceId, more, status: each.status };
}

function condition(each) {
  return { name: each.condition, more: each.resolution, status: each.status };
}

function Group({ title, rows }) {
  return html`<section>
    <h2>${title}</h2>
    ${!rows.length && html`<p class="dim">${t("nothing")}</p>`}
    <ul class="plain">
      ${rows.map(
        ({ href, name, more, status }, at) => html`<li key=${at}>
          ${href ? html`<a href=${href}>${name}</a>` : name} ${status && html`<${Status} status=${status} />`}
          ${more && html`<div class="dim">${more}</div>`}
        </li>`,
      )}
    </ul>
  </section>`;
}

/** Jobs in columns by their distance from this one: what it waits for to the left, what waits for it to the right. */
function Graph({ answer }) {
  const { prerequisiteJobs, dependentJobs } = answer.dependencies;
  const distance = new Map([
    ...prerequisiteJobs.map((job) => [job.jobId, -job.distance]),
    ...dependentJobs.map((job) => [job.jobId, job.distance]),
    [answer.jobId, 0],
  ]);
  const nodes = answer.dependencyGraph.nodes.filter((node) => distance.has(node.id));
  const columns = Map.groupBy(nodes, (node) => distance.get(node.id));
  const least = Math.min(...columns.keys());
  const rows = Math.max(...[...columns.values()].map((column) => column.length));
  const place = new Map();
  for (const [column, members] of columns) {
    members.forEach((node, at) => {
      const top = ((rows - members.length) / 2 + at) * BOX.down;
      place.set(node.id, { x: (column - least) * BOX.across, y: top });
    });
  }
  const width = (Math.max(...columns.keys()) - least) * BOX.across + BOX.width;
  const edges = answer.dependencyGraph.edges.filter((edge) => place.has(edge.from) && place.has(edge.to));
  return html`<div class="scroll">
    <svg class="graph" role="group" aria-label=${t("graph")} width=${width + 2} height=${rows * BOX.down} viewBox="-1 -1 ${width + 2} ${rows * BOX.down}">
      ${edges.map((edge) => html`<path key=${edge.from + edge.to} d=${curve(place.get(edge.from), place.get(edge.to))} />`)}
      ${nodes.map((node) => html`<${Box} key=${node.id} node=${node} at=${place.get(node.id)} own=${node.id === answer.jobId} />`)}
    </svg>
  </div>`;
}

function Box({ node, at, own }) {
  const name = node.jobName ?? node.id;
  const short = [...name].length > LONGEST_NAME ? `${[...name].slice(0, LONGEST_NAME - 1).join("")}…` : name;
  return html`<a href="#/job/${node.id}" aria-label="${name}: ${node.status ? t(node.status) : "–"}">
    <g transform="translate(${at.x} ${at.y})" class=${own ? "own" : ""}>
      <rect width=${BOX.width} height=${BOX.height} rx="8" />
      <text x="12" y="20">${short}</text>
      <text x="12" y="37" class="state">${own ? t("thisJob") : node.status ? t(node.status) : "–"}</text>
    </g>
  </a>`;
}

function curve(from, to) {
  const [left, right] = from.x <= to.x ? [from, to] : [to, from];
  const [x1, y1, x2, y2] = [left.x + BOX.width, left.y + BOX.height / 2, right.x, right.y + BOX.height / 2];
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
}
