// Log lines that follow the job. Only those in sight are in the document, and so many at most are kept.

import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/preact.js";
import { moment, number } from "../format.js";
import { Empty, Problem } from "../parts.js";
import { Reader, path } from "../api.js";
import { t } from "../strings.js";

export const KEPT = 20000;
const ROW_PX = 22;
const SPARE_ROWS = 10;
const PAGE = 1000;
const LOOK_MS = 1500;
const LEVELS = ["DEBUG", "INFO", "WARN", "ERROR"];

/** The lines of a job of at least a level: the newest page first, then what comes, older ones on demand. */
class Lines {
  constructor(api, jobId, level, onChange, onRefused) {
    Object.assign(this, { api, onChange, onRefused });
    this.path = path`/job/${jobId}/logs?limit=${PAGE}&level=${level}`;
    this.entries = [];
    this.total = 0;
    this.older = null;
    this.reader = new Reader(api, this.path, (page) => this.begin(page), onRefused);
    this.reader.look();
  }

  begin(page) {
    this.reader.stop();
    this.entries = page.logs;
    this.older = page.nextCursor;
    this.summary(page);
    // Sequences up to here are told; lines of them may lie before this page in time.
    this.follow(page.lastSequence);
  }

  follow(since) {
    this.since = since;
    this.reader = new Reader(this.api, `${this.path}&sinceSequence=${since}`, (page) => this.added(page), this.onRefused);
  }

  added(page) {
    this.summary(page);
    if (page.lastSequence > this.since) {
      const more = page.logs;
      this.entries = this.entries.concat(more).slice(-KEPT);
      if (this.entries.length === KEPT) this.older = null;
      this.reader.stop();
      this.follow(page.lastSequence);
      if (more.length) this.reader.look(); // there may be more at once
    }
    this.onChange();
  }

  async loadOlder() {
    const { body } = await this.api.ask("GET", `${this.path}&cursor=${encodeURIComponent(this.older)}`);
    this.entries = body.logs.concat(this.entries).slice(-KEPT);
    this.older = this.entries.length < KEPT ? body.nextCursor : null;
    this.onChange();
  }

  summary(page) {
    this.total = page.logsSummary.totalEntries;
    this.onChange();
  }

  look() {
    this.reader.look();
  }

  stop() {
    this.reader.stop();
  }
}

export function Logs({ api, jobId, tick, ended }) {
  const [level, setLevel] = useState("INFO");
  const [search, setSearch] = useState("");
  const [following, setFollowing] = useState(true);
  const [chosen, setChosen] = useState(null);
  const [refused, setRefused] = useState(null);
  const [, redraw] = useState(0);
  const lines = useRef(null);
  useEffect(() => {
    lines.current = new Lines(api, jobId, level, () => redraw((now) => now + 1), setRefused);
    const timer = ended ? null : setInterval(() => document.hidden || lines.current.look(), LOOK_MS);
    return () => {
      clearInterval(timer);
      lines.current.stop();
    };
  }, [api, jobId, level, ended]);
  useEffect(() => lines.current.look(), [tick]);
  const entries = lines.current?.entries ?? [];
  const shown = useMemo(() => matching(entries, search), [entries, search]);
  if (refused) return html`<${Problem} refused=${refused} />`;
  return html`<section class="logs" aria-label=${t("logs")}>
    <div class="tools">
      <label>
        ${t("level")}
        <select value=${level} onChange=${(event) => setLevel(event.currentTarget.value)}>
          ${LEVELS.map((each) => html`<option key=${each}>${each}</option>`)}
        </select>
      </label>
      <label class="grow">
        <span class="hidden">${t("search")}</span>
        <input
          type="search"
          placeholder=${t("searchHint")}
          value=${search}
          onInput=${(event) => setSearch(event.currentTarget.value)}
        />
      </label>
      <label>
        <input type="checkbox" checked=${following} onChange=${(event) => setFollowing(event.currentTarget.checked)} />
        ${t("follow")}
      </label>
      <span class="dim" role="status">
        ${t("lines", { shown: number(shown.length), total: number(lines.current?.total ?? 0) })}
      </span>
    </div>
    ${lines.current?.older &&
    html`<button class="small" onClick=${() => lines.current.loadOlder()}>${t("older")}</button>`}
    ${entries.length === KEPT && html`<p class="dim">${t("onlyNewest", { n: number(KEPT) })}</p>`}
    ${lines.current && !shown.length
      ? html`<${Empty} title=${t("noLines")} />`
      : html`<${Rows} entries=${shown} following=${following} onFollow=${setFollowing} onChoose=${setChosen} chosen=${chosen} />`}
    ${chosen && html`<${Details} entry=${chosen} onClose=${() => setChosen(null)} />`}
  </section>`;
}

function matching(entries, search) {
  const wanted = search.trim().toLocaleLowerCase();
  if (!wanted) return entries;
  return entries.filter((entry) => `${entry.component ?? ""} ${entry.message}`.toLocaleLowerCase().includes(wanted));
}

function Rows({ entries, following, onFollow, onChoose, chosen }) {
  const box = useRef(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const see = () => {
    const { scrollTop, clientHeight, scrollHeight } = box.current;
    setView({ top: scrollTop, height: clientHeight });
    onFollow(scrollTop + clientHeight >= scrollHeight - ROW_PX);
  };
  useLayoutEffect(() => {
    if (following) box.current.scrollTop = box.current.scrollHeight;
    setView({ top: box.current.scrollTop, height: box.current.clientHeight });
  }, [entries, following]);
  const first = Math.max(0, Math.floor(view.top / ROW_PX) - SPARE_ROWS);
  const last = Math.min(entries.length, Math.ceil((view.top + view.height) / ROW_PX) + SPARE_ROWS);
  return html`<div class="rows" tabindex="0" ref=${box} onScroll=${see} aria-label=${t("logLines")} role="region">
    <ul style=${{ height: `${entries.length * ROW_PX}px` }}>
      ${entries.slice(first, last).map(
        (entry, at) => html`<li
          key=${entry.sequence}
          style=${{ top: `${(first + at) * ROW_PX}px` }}
          class="${entry.level} ${entry === chosen ? "chosen" : ""}"
          aria-setsize=${entries.length}
          aria-posinset=${first + at + 1}
        >
          <button class="row" onClick=${() => onChoose(entry)}>
            <time datetime=${entry.timestamp}>${moment(entry.timestamp, true)}</time>
            <b>${entry.level}</b>
            <span class="dim">${entry.component ?? "–"}</span>
            <span class="text">${entry.message}</span>
          </button>
        </li>`,
      )}
    </ul>
  </div>`;
}

function Details({ entry, onClose }) {
  return html`<aside class="details" aria-label=${t("details")}>
    <div class="headline">
      <span class="dim">${entry.timestamp} · ${entry.level} · ${entry.component ?? "–"} · ${entry.stage ?? "–"}</span>
      <button class="small" onClick=${onClose}>${t("close")}</button>
    </div>
    <pre>${entry.message}</pre>
    ${entry.details && html`<pre>${JSON.stringify(entry.details, null, 2)}</pre>`}
  </aside>`;
}
