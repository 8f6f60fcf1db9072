// Times, spans and figures, in the page's language.

import { language } from "./strings.js";

const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/** `2 min 27 sec`: the two greatest units of a number of seconds. */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return null;
  let rest = Math.max(0, Math.round(seconds));
  const parts = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count) parts.push(new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(count));
  }
  const shown = parts.slice(0, 2).join(" ");
  return shown || new Intl.NumberFormat(language, { style: "unit", unit: "second", unitDisplay: "short" }).format(0);
}

/** Seconds between two times of the service. */
export function between(start, end) {
  return (Date.parse(end) - Date.parse(start)) / 1000;
}

/** A time: the clock's if it is today's, else with the date. */
export function moment(time, seconds = false) {
  if (!time) return "–";
  const date = new Date(time);
  const today = date.toDateString() === new Date().toDateString();
  const clock = { hour: "2-digit", minute: "2-digit", ...(seconds && { second: "2-digit" }), hourCycle: "h23" };
  const options = today ? clock : { month: "short", day: "numeric", ...clock };
  return new Intl.DateTimeFormat(language, options).format(date);
}

export function number(value, digits = 1) {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}
