// Formats times, durations and numbers in the page's language.

import { language } from "./strings.js";

/** @type {[string, number][]} */
const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/**
 * Format a number of seconds in its two greatest units: `2 min 27 sec`.
 * @param {number | null | undefined} seconds
 */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return null;
  let rest = Math.max(0, Math.round(seconds));
  const parts = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count) parts.push(formatUnit(unit, count));
  }
  return parts.slice(0, 2).join(" ") || formatUnit("second", 0);
}

/**
 * @param {string} unit
 * @param {number} count
 */
function formatUnit(unit, count) {
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(count);
}

/**
 * Format a time: only the time of day if it is today, otherwise with the date.
 * @param {string | number | null | undefined} time
 */
export function moment(time, seconds = false) {
  if (!time) return "–";
  const date = new Date(time);
  const today = date.toDateString() === new Date().toDateString();
  /** @type {Intl.DateTimeFormatOptions} */
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (seconds) clock.second = "2-digit";
  const options = today ? clock : /** @type {const} */ ({ month: "short", day: "numeric", ...clock });
  return new Intl.DateTimeFormat(language, options).format(date);
}

/** @param {number} value */
export function number(value, digits = 1) {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}
