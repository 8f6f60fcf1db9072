// Components and hooks that several views share.

import { Reader } from "./api.js";
import { t } from "./strings.js";
import { html, useEffect, useRef, useState } from "./vendor/preact.js";

/** @import { Api, Refused } from "./api.js" */

/**
 * Return the newest response at a path, or why the service refused it. It is read again whenever `tick` changes.
 * @template Body
 * @param {Api} api
 * @param {Path<Body>} path
 * @param {unknown} tick
 * @returns {{body?: Body, refused?: Refused}}
 */
export function useResponse(api, path, tick) {
  const [state, setState] = useState(/** @type {{path?: string, body?: Body, refused?: Refused}} */ ({}));
  const reader = useRef(/** @type {Reader<Body> | null} */ (null));
  useEffect(() => {
    const current = new Reader(
      api,
      path,
      (body) => setState({ path, body }),
      (refused) => setState({ path, refused }),
    );
    reader.current = current;
    current.look();
    return () => current.stop();
  }, [api, path]);
  useEffect(() => {
    reader.current?.look();
  }, [tick]);
  return state.path === path ? state : {};
}

/**
 * Return a number that increases at this interval while the page is visible.
 * @param {number} milliseconds
 */
export function useClock(milliseconds) {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setTick((now) => now + 1), milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
  return tick;
}

/** @param {{percentage: number, status: string, label: string}} props */
export function Bar({ percentage, status, label }) {
  return html`<div
    class="bar ${status}"
    role="progressbar"
    aria-label=${label}
    aria-valuenow=${percentage}
    aria-valuemin="0"
    aria-valuemax="100"
  >
    <div style=${{ width: `${percentage}%` }}></div>
  </div>`;
}

/** @param {{status: string}} props */
export function Status({ status }) {
  return html`<span class="status ${status}">${t(status)}</span>`;
}

/** @param {{title: string, hint?: string}} props */
export function Empty({ title, hint }) {
  return html`<div class="empty">
    <p>${title}</p>
    ${hint && html`<p class="dim">${hint}</p>`}
  </div>`;
}

/** @param {{refused: Refused}} props */
export function Problem({ refused }) {
  const detail = refused.problem?.detail ?? `HTTP ${refused.status}`;
  return html`<${Empty} title=${refused.status === 404 ? t("notFound") : t("refused", { detail })} />`;
}

/**
 * Tabs are links; the left and right arrow keys move between them.
 * @param {{label: string, items: {name: string | undefined, text: string, href: string}[], selected: string | undefined}} props
 */
export function Tabs({ label, items, selected }) {
  /** @param {KeyboardEvent & {currentTarget: HTMLElement}} event */
  const move = (event) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const links = [...event.currentTarget.querySelectorAll("a")];
    const focused = links.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
    links.at((focused + step) % links.length)?.focus();
    event.preventDefault();
  };
  return html`<nav class="tabs" aria-label=${label} onKeyDown=${move}>
    ${items.map(
      ({ name, text, href }) => html`<a href=${href} aria-current=${name === selected ? "page" : null}>${text}</a>`,
    )}
  </nav>`;
}
