// The job's resource usage and throughput.

import { moment, number } from "../format.js";
import { Empty, Problem, useResponse } from "../parts.js";
import { metricsPath } from "../routes.js";
import { language, t } from "../strings.js";
import { html, useEffect, useRef } from "../vendor/preact.js";
import uPlot from "../vendor/uplot.js";

/**
 * @import { Api } from "../api.js"
 * @typedef {{name: string, unit: string, read: (bucket: Schema<"Bucket">) => number | null | undefined}} Series
 */

const HEIGHT_PX = 180;
const MARGIN_SECONDS = 30; // on both sides of the time axis, so that a single point is visible
const MARKED_POINTS = 30; // a chart of fewer points marks each of them
/** @type {Series[]} */
const SERIES = [
  { name: "cpu", unit: "%", read: (bucket) => bucket.cpu },
  { name: "memory", unit: "GB", read: (bucket) => bucket.memory },
  { name: "throughput", unit: "/s", read: (bucket) => bucket.recordsPerSecond },
];

/** @param {{api: Api, jobId: string, tick: number}} props */
export function Metrics({ api, jobId, tick }) {
  const { body, refused } = useResponse(api, metricsPath(jobId), tick);
  if (refused) return html`<${Problem} refused=${refused} />`;
  if (!body) return null;
  const history = body.historicalMetrics;
  const reported = SERIES.filter(({ read }) => history.some((bucket) => read(bucket) != null));
  if (!reported.length) return html`<${Empty} title=${t("noMetrics")} />`;
  return html`<${Figures} metrics=${body} />
    <div class="charts">
      ${reported.map((series) => html`<${Chart} key=${series.name + language} series=${series} history=${history} />`)}
    </div>
    <${Table} reported=${reported} history=${history} />`;
}

/** @param {{reported: Series[], history: Schema<"Bucket">[]}} props */
function Table({ reported, history }) {
  return html`<details>
    <summary>${t("asTable")}</summary>
    <div class="scroll"><table>
      <thead>
        <tr>
          <th scope="col">${t("time")}</th>
          ${reported.map(({ name, unit }) => html`<th scope="col" key=${name}>${t(name)} (${unit})</th>`)}
          <th scope="col">${t("stage")}</th>
        </tr>
      </thead>
      <tbody>
        ${history.toReversed().map(
          (bucket) => html`<tr key=${bucket.timestamp}>
            <td>${moment(bucket.timestamp)}</td>
            ${reported.map(({ name, read }) => html`<td key=${name}>${figure(read(bucket))}</td>`)}
            <td>${bucket.stage ?? "–"}</td>
          </tr>`,
        )}
      </tbody>
    </table></div>
  </details>`;
}

/** @param {number | null | undefined} value */
function figure(value) {
  return value == null ? "–" : number(value, 2);
}

/** @param {{metrics: Schema<"Metrics">}} props */
function Figures({ metrics }) {
  const { resourceUtilization, processing } = metrics.currentMetrics;
  const { cpu, memory, disk, network } = resourceUtilization;
  const figures = [
    [t("cpu"), cpu?.usage != null && `${number(cpu.usage)} %`, cpu?.cores && t("cores", { n: cpu.cores })],
    [
      t("memory"),
      memory?.used && (memory.allocated ? t("of", { used: memory.used, all: memory.allocated }) : memory.used),
      memory?.peak && t("peak", { value: memory.peak }),
    ],
    [t("throughput"), processing?.recordsPerSecond != null && `${number(processing.recordsPerSecond)} /s`],
    [t("disk"), disk?.reads && `↓ ${disk.reads} ↑ ${disk.writes ?? "–"}`],
    [t("network"), network?.bytesIn && `↓ ${network.bytesIn} ↑ ${network.bytesOut ?? "–"}`],
    [t("efficiency"), metrics.performanceTrends.overallEfficiency],
  ].filter(([, value]) => value);
  return html`<dl class="figures">
    ${figures.map(
      ([name, value, more]) => html`<div key=${name}>
        <dt>${name}</dt>
        <dd>${value} ${more && html`<span class="dim">${more}</span>`}</dd>
      </div>`,
    )}
  </dl>`;
}

/**
 * The buckets that have a value of a series, as uPlot takes them, and the newest of them.
 * @param {Series} series
 * @param {Schema<"Bucket">[]} history
 */
function points(series, history) {
  const times = [];
  const values = [];
  for (const bucket of history) {
    const value = series.read(bucket);
    if (value == null) continue;
    times.push(Date.parse(bucket.timestamp) / 1000);
    values.push(value);
  }
  return { times, values };
}

/** @param {{series: Series, history: Schema<"Bucket">[]}} props */
function Chart({ series, history }) {
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const chart = useRef(/** @type {uPlot | null} */ (null));
  const { times, values } = points(series, history);
  const [newest, value] = [times[times.length - 1], values[values.length - 1]];
  useEffect(() => {
    if (place.current === null) return undefined;
    const width = place.current.clientWidth;
    const drawn = new uPlot(chartOptions(width, times.length < MARKED_POINTS), [times, values], place.current);
    chart.current = drawn;
    const observer = new ResizeObserver(([{ contentRect }]) =>
      drawn.setSize({ width: contentRect.width, height: HEIGHT_PX }),
    );
    observer.observe(place.current);
    return () => {
      observer.disconnect();
      drawn.destroy();
    };
  }, []);
  useEffect(() => {
    chart.current?.setData([times, values], false);
    chart.current?.setScale("x", { min: times[0] - MARGIN_SECONDS, max: newest + MARGIN_SECONDS });
  }, [history]);
  const title = `${t(series.name)} (${series.unit})`;
  return html`<figure>
    <figcaption>${title}</figcaption>
    <div ref=${place} role="img" aria-label="${title}: ${figure(value)}, ${moment(newest * 1000)}"></div>
  </figure>`;
}

/**
 * @param {number} width
 * @param {boolean} marked whether each point has a mark
 * @returns {uPlot.Options}
 */
function chartOptions(width, marked) {
  const colors = getComputedStyle(document.documentElement);
  const [line, dim, grid] = ["--accent", "--dim", "--line"].map((name) => colors.getPropertyValue(name));
  const axis = { stroke: dim, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
  return {
    width,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.1 : 1] } },
    axes: [
      { ...axis, values: (_plot, times) => times.map((time) => moment(time * 1000)) },
      { ...axis, size: 56 },
    ],
    series: [{}, { stroke: line, width: 2, fill: `${line.trim()}22`, points: { show: marked } }],
  };
}
