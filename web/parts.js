// Parts that several views are made of.

import { html, useEffect, useRef, useState } from "./vendor/preact.js";
import { Reader } from "./api.js";
import { t } from "./strings.js";

/** The newest answer at a path, read anew whenever `tick` changes, and why there is none. */
export function useAnswer(api, path, tick) {
  const [state, setState] = useState({ path: null });
  const reader = useRef(null);
  useEffect(() => {
    reader.current = new Reader(
      api,
      path,
      (answer) => setState({ path, answer }),
      (refused) => setState({ path, refused }),
    );
    reader.current.look();
    return () => reader.current.stop();
  }, [api, path]);
  useEffect(() => {
    reader.current.look();
  }, [tick]);
  return state.path === path ? state : {};
}

/** A number that goes up every so many milliseconds while the page is seen. */
export function useClock(milliseconds) {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setTick((now) => now + 1), milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
  return tick;
}

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

export function Status({ status }) {
  return html`<span class="status ${status}">${t(status)}</span>`;
}

export function Empty({ title, hint }) {
  return html`<div class="empty">
    <p>${title}</p>
    ${hint && html`<p class="dim">${hint}</p>`}
  </div>`;
}

export function Problem({ refused }) {
  const detail = refused.problem?.detail ?? `HTTP ${refused.status}`;
  return html`<${Empty} title=${refused.status === 404 ? t("notFound") : t("refused", { detail })} />`;
}

/** Tabs as links, which the arrow keys walk. */
export function Tabs({ label, items, chosen }) {
  const walk = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const links = [...event.currentTarget.querySelectorAll("a")];
    links.at((links.indexOf(document.activeElement) + step) % links.length).focus();
    event.preventDefault();
  };
  return html`<nav class="tabs" aria-label=${label} onKeyDown=${walk}>
    ${items.map(
      ({ name, text, href }) => html`<a href=${href} aria-current=${name === chosen ? "page" : null}>${text}</a>`,
    )}
  </nav>`;
}
