// What the job uses and how fast it is.

import { html, useEffect, useRef } from "../vendor/preact.js";
import uPlot from "../vendor/uplot.js";
import { moment, number } from "../format.js";
import { path } from "../api.js";
import { Empty, Problem, useAnswer } from "../parts.js";
import { language, t } from "../strings.js";

const HEIGHT_PX = 180;
const SPARE_SECONDS = 30; // so that a single point has a place
const SERIES = [
  { name: "cpu", unit: "%", read: (bucket) => bucket.cpu },
  { name: "memory", unit: "GB", read: (bucket) => bucket.memory },
  { name: "throughput", unit: "/s", read: (bucket) => bucket.recordsPerSecond },
];

export function Metrics({ api, jobId, tick }) {
  const { answer, refused } = useAnswer(api, path`/job/${jobId}/metrics?interval=1m&includeHistory=true`, tick);
  if (refused) return html`<${Problem} refused=${refused} />`;
  if (!answer) return null;
  const history = answer.historicalMetrics;
  const drawn = SERIES.filter(({ read }) => history.some((bucket) => read(bucket) != null));
  if (!drawn.length) return html`<${Empty} title=${t("noMetrics")} />`;
  return html`<${Figures} metrics=${answer} />
    <div class="charts">
      ${drawn.map((series) => html`<${Chart} key=${series.name + language} series=${series} history=${history} />`)}
    </div>
    <details>
      <summary>${t("asTable")}</summary>
      <div class="scroll"><table>
        <thead>
          <tr>
            <th scope="col">${t("time")}</th>
            ${drawn.map(({ name, unit }) => html`<th scope="col" key=${name}>${t(name)} (${unit})</th>`)}
            <th scope="col">${t("stage")}</th>
          </tr>
        </thead>
        <tbody>
          ${history.toReversed().map(
            (bucket) => html`<tr key=${bucket.timestamp}>
              <td>${moment(bucket.timestamp)}</td>
              ${drawn.map(({ name, read }) => html`<td key=${name}>${figure(read(bucket))}</td>`)}
              <td>${bucket.stage ?? "–"}</td>
            </tr>`,
          )}
        </tbody>
      </table></div>
    </details>`;
}

function figure(value) {
  return value == null ? "–" : number(value, 2);
}

function Figures({ metrics }) {
  const { resourceUtilization: use, processing } = metrics.currentMetrics;
  const { cpu, memory, disk, network } = use;
  const known = [
    [t("cpu"), cpu?.usage != null && `${number(cpu.usage)} %`, cpu?.cores && t("cores", { n: cpu.cores })],
    [
      t("memory"),
      memory?.used && (memory.allocated ? t("of", { used: memory.used, all: memory.allocated }) : memory.used),
      memory?.peak && t("peak", { value: memory.peak }),
    ],
    [t("throughput"), processing?.recordsPerSecond != null && `${number(processing.recordsPerSecond)} /s`],
    [t("disk"), disk?.reads && `↓ ${disk.reads} ↑ ${disk.writes}`],
    [t("network"), network?.inbound && `↓ ${network.inbound} ↑ ${network.outbound}`],
    [t("efficiency"), metrics.performanceTrends.overallEfficiency],
  ].filter(([, value]) => value);
  return html`<dl class="figures">
    ${known.map(
      ([name, value, more]) => html`<div key=${name}>
        <dt>${name}</dt>
        <dd>${value} ${more && html`<span class="dim">${more}</span>`}</dd>
      </div>`,
    )}
  </dl>`;
}

function Chart({ series, history }) {
  const place = useRef(null);
  const chart = useRef(null);
  const points = history.filter((bucket) => series.read(bucket) != null);
  const data = [points.map((bucket) => Date.parse(bucket.timestamp) / 1000), points.map(series.read)];
  useEffect(() => {
    const colors = getComputedStyle(document.documentElement);
    const [line, dim, grid] = ["--accent", "--dim", "--line"].map((name) => colors.getPropertyValue(name));
    const axis = { stroke: dim, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
    const options = {
      width: place.current.clientWidth,
      height: HEIGHT_PX,
      legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
      axes: [{ ...axis, values: (_, times) => times.map((time) => moment(time * 1000)) }, { ...axis, size: 56 }],
      series: [{}, { stroke: line, width: 2, fill: `${line.trim()}22`, points: { show: data[0].length < 30 } }],
    };
    chart.current = new uPlot(options, data, place.current);
    const watcher = new ResizeObserver(([{ contentRect }]) =>
      chart.current.setSize({ width: contentRect.width, height: HEIGHT_PX }),
    );
    watcher.observe(place.current);
    return () => {
      watcher.disconnect();
      chart.current.destroy();
    };
  }, []);
  useEffect(() => {
    chart.current.setData(data, false);
    chart.current.setScale("x", { min: data[0][0] - SPARE_SECONDS, max: data[0].at(-1) + SPARE_SECONDS });
  }, [history]);
  const last = points.at(-1);
  const title = `${t(series.name)} (${series.unit})`;
  return html`<figure>
    <figcaption>${title}</figcaption>
    <div ref=${place} role="img" aria-label="${title}: ${figure(series.read(last))}, ${moment(last.timestamp)}"></div>
  </figure>`;
}
