// The job's log lines, updated while it runs. Only the visible rows are in the document.

import { Reader } from "../api.js";
import { moment, number } from "../format.js";
import { Empty, Problem } from "../parts.js";
import { logsPath } from "../routes.js";
import { t } from "../strings.js";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../vendor/preact.js";

/**
 * @import { Api, Refused } from "../api.js"
 * @typedef {Schema<"LogEntry">} Entry
 */

const MAX_LINES = 20000;
const ROW_PX = 22;
const SPARE_ROWS = 10; // above and below the visible rows, so that scrolling shows no gaps
const PAGE = 1000;
const POLL_MS = 1500;
const LEVELS = ["DEBUG", "INFO", "WARN", "ERROR"];

/** The lines of a job of at least one level: first the newest page, then new lines, and older ones on demand. */
class Lines {
  entries = /** @type {Entry[]} */ ([]);
  total = 0;
  /** The cursor of the lines before the first. */
  older = /** @type {string | null} */ (null);
  since = 0;

  /**
   * @param {Api} api
   * @param {string} jobId
   * @param {string} level
   * @param {() => void} onChange
   * @param {(refused: Refused) => void} onRefused
   */
  constructor(api, jobId, level, onChange, onRefused) {
    this.api = api;
    this.jobId = jobId;
    this.query = { level, limit: PAGE };
    this.onChange = onChange;
    this.onRefused = onRefused;
    this.reader = new Reader(api, logsPath(jobId, this.query), (page) => this.#begin(page), onRefused);
    this.reader.look();
  }

  /** @param {Schema<"Logs">} page */
  #begin(page) {
    this.reader.stop();
    this.entries = page.logs;
    this.older = page.nextCursor;
    this.#updateTotal(page);
    // The page covers sequences up to here. Some of their lines may be older than its first line, on an older page.
    this.#follow(page.lastSequence);
  }

  /** @param {number} since */
  #follow(since) {
    this.since = since;
    const path = logsPath(this.jobId, { ...this.query, sinceSequence: since });
    this.reader = new Reader(this.api, path, (page) => this.#append(page), this.onRefused);
  }

  /** @param {Schema<"Logs">} page */
  #append(page) {
    this.#updateTotal(page);
    if (page.lastSequence > this.since) {
      this.entries = this.entries.concat(page.logs).slice(-MAX_LINES);
      if (this.entries.length === MAX_LINES) this.older = null;
      this.reader.stop();
      this.#follow(page.lastSequence);
      if (page.logs.length) this.reader.look(); // the page may have been full
    }
    this.onChange();
  }

  async loadOlder() {
    if (this.older === null) return;
    const page = await this.api.get(logsPath(this.jobId, { ...this.query, cursor: this.older }));
    this.entries = page.logs.concat(this.entries).slice(-MAX_LINES);
    this.older = this.entries.length < MAX_LINES ? page.nextCursor : null;
    this.onChange();
  }

  /** @param {Schema<"Logs">} page */
  #updateTotal(page) {
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

/** @param {{api: Api, jobId: string, tick: number, ended: boolean}} props */
export function Logs({ api, jobId, tick, ended }) {
  const [level, setLevel] = useState("INFO");
  const [search, setSearch] = useState("");
  const [following, setFollowing] = useState(true);
  const [selected, setSelected] = useState(/** @type {Entry | null} */ (null));
  const [refused, setRefused] = useState(/** @type {Refused | null} */ (null));
  const [, redraw] = useState(0);
  const lines = useRef(/** @type {Lines | null} */ (null));
  useEffect(() => {
    const current = new Lines(api, jobId, level, () => redraw((now) => now + 1), setRefused);
    lines.current = current;
    const timer = ended ? undefined : setInterval(() => document.hidden || current.look(), POLL_MS);
    return () => {
      clearInterval(timer);
      current.stop();
    };
  }, [api, jobId, level, ended]);
  useEffect(() => lines.current?.look(), [tick]);
  const entries = lines.current?.entries ?? [];
  const matches = useMemo(() => filterEntries(entries, search), [entries, search]);
  if (refused) return html`<${Problem} refused=${refused} />`;
  return html`<section class="logs" aria-label=${t("logs")}>
    <div class="tools">
      <label>
        ${t("level")}
        <select value=${level} onChange=${onInput((input) => setLevel(input.value))}>
          ${LEVELS.map((name) => html`<option key=${name}>${name}</option>`)}
        </select>
      </label>
      <label class="grow">
        <span class="hidden">${t("search")}</span>
        <input
          type="search"
          placeholder=${t("searchHint")}
          value=${search}
          onInput=${onInput((input) => setSearch(input.value))}
        />
      </label>
      <label>
        <input type="checkbox" checked=${following} onChange=${onInput((input) => setFollowing(input.checked))} />
        ${t("follow")}
      </label>
      <span class="dim" role="status">
        ${t("lines", { shown: number(matches.length), total: number(lines.current?.total ?? 0) })}
      </span>
    </div>
    ${
      lines.current?.older &&
      html`<button class="small" onClick=${() => lines.current?.loadOlder()}>${t("older")}</button>`
    }
    ${entries.length === MAX_LINES && html`<p class="dim">${t("onlyNewest", { n: number(MAX_LINES) })}</p>`}
    ${
      lines.current && !matches.length
        ? html`<${Empty} title=${t("noLines")} />`
        : html`<${Rows} entries=${matches} following=${following} onFollow=${setFollowing} onSelect=${setSelected} selected=${selected} />`
    }
    ${selected && html`<${Details} entry=${selected} onClose=${() => setSelected(null)} />`}
  </section>`;
}

/**
 * Return an event handler that passes the input on.
 * @param {(input: HTMLInputElement) => void} use
 */
function onInput(use) {
  return /** @param {{currentTarget: HTMLInputElement}} event */ (event) => use(event.currentTarget);
}

/**
 * Return the entries whose component or message contains the text, in any case.
 * @param {Entry[]} entries
 * @param {string} search
 */
function filterEntries(entries, search) {
  const text = search.trim().toLocaleLowerCase();
  if (!text) return entries;
  return entries.filter((entry) => `${entry.component ?? ""} ${entry.message}`.toLocaleLowerCase().includes(text));
}

/**
 * @param {{
 *   entries: Entry[],
 *   following: boolean,
 *   onFollow: (following: boolean) => void,
 *   onSelect: (entry: Entry) => void,
 *   selected: Entry | null,
 * }} props
 */
function Rows({ entries, following, onFollow, onSelect, selected }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [view, setView] = useState({ top: 0, height: 600 });
  /** @param {{currentTarget: HTMLElement}} event */
  const scrolled = ({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
    setView({ top: scrollTop, height: clientHeight });
    onFollow(scrollTop + clientHeight >= scrollHeight - ROW_PX);
  };
  useLayoutEffect(() => {
    if (box.current === null) return;
    if (following) box.current.scrollTop = box.current.scrollHeight;
    setView({ top: box.current.scrollTop, height: box.current.clientHeight });
  }, [entries, following]);
  const first = Math.max(0, Math.floor(view.top / ROW_PX) - SPARE_ROWS);
  const last = Math.min(entries.length, Math.ceil((view.top + view.height) / ROW_PX) + SPARE_ROWS);
  return html`<div class="rows" tabindex="0" ref=${box} onScroll=${scrolled} aria-label=${t("logLines")} role="region">
    <ul style=${{ height: `${entries.length * ROW_PX}px` }}>
      ${entries.slice(first, last).map(
        (entry, index) => html`<li
          key=${entry.sequence}
          style=${{ top: `${(first + index) * ROW_PX}px` }}
          class="${entry.level} ${entry === selected ? "selected" : ""}"
          aria-setsize=${entries.length}
          aria-posinset=${first + index + 1}
        >
          <button class="row" onClick=${() => onSelect(entry)}>
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

/** @param {{entry: Entry, onClose: () => void}} props */
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
