// What the address asks for after its `#`. Anybody can make a link, so nothing in it is trusted.

import { guid } from "./api.js";

/**
 * `#/job/ID/TAB`, `#/jobs/STATUS`, `#/code/CODE`, or `#/` for all jobs; `?project=ID` may follow.
 * A job without an `id` is one whose id is not a GUID.
 */
export function read(hash) {
  const [place, query] = hash.split("?");
  const [, kind, name, tab] = place.split("/");
  const project = guid(new URLSearchParams(query).get("project"));
  if (kind === "code") return { kind, code: name ?? "" };
  if (kind === "job" && name) return { kind, id: guid(name), tab, project };
  return { kind: "jobs", status: kind === "jobs" ? name : undefined, project };
}

/** Read the address, and leave neither a code nor what follows a `?` in it or in the history. */
export function take() {
  const found = read(location.hash);
  if (found.code !== undefined) history.replaceState(null, "", "#/");
  else if (location.hash.includes("?")) history.replaceState(null, "", location.hash.split("?")[0]);
  return found;
}
