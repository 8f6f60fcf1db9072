// Reads the address after its `#`. Anyone can make a link, so nothing in the address is trusted.

import { guid } from "./api.js";

/**
 * Where in the page the reader is. A job whose `id` is null has an address without a valid job id.
 * @typedef {{
 *   kind: string, id?: string | null, tab?: string, status?: string, code?: string, project?: string | null
 * }} Route
 */

/**
 * Parse `#/job/ID/TAB`, `#/jobs/STATUS`, `#/code/CODE`, or `#/` for all jobs; `?project=ID` may follow.
 * @param {string} hash
 * @returns {Route}
 */
export function parse(hash) {
  const [place, query] = hash.split("?");
  const [, kind, name, tab] = place.split("/");
  const project = guid(new URLSearchParams(query).get("project"));
  if (kind === "code") return { kind, code: name ?? "" };
  if (kind === "job" && name) return { kind, id: guid(name), tab, project };
  return { kind: "jobs", status: kind === "jobs" ? name : undefined, project };
}

/** Parse the address, and remove a code and everything after a `?` from it and from the browser's history. */
export function take() {
  const route = parse(location.hash);
  if (route.code !== undefined) history.replaceState(null, "", "#/");
  else if (location.hash.includes("?")) history.replaceState(null, "", location.hash.split("?")[0]);
  return route;
}
