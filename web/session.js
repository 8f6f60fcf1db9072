// Who looks: a token, kept for as long as the tab lives, and the project that its owner chose.

import { guid } from "./api.js";

const TOKEN = "jobtrack.token";
const PROJECT = "jobtrack.project";

/** The claims of a token; null if it is none. They are not verified here: the service does that. */
export function claims(token) {
  try {
    const body = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(body), (byte) => byte.charCodeAt(0))));
  } catch {
    return null;
  }
}

export class Session {
  constructor(config) {
    this.config = config;
  }

  get token() {
    return sessionStorage.getItem(TOKEN);
  }

  get tenant() {
    return this.token && claims(this.token)?.[this.config.tenantClaim];
  }

  /** Milliseconds that the token is still good for. */
  get left() {
    return this.token ? claims(this.token).exp * 1000 - Date.now() : NaN;
  }

  get project() {
    return sessionStorage.getItem(PROJECT);
  }

  set project(project) {
    sessionStorage.setItem(PROJECT, project);
  }

  /** Whether somebody is signed in. */
  get open() {
    return Boolean(this.token) && !(this.left <= 0);
  }

  /** Take a token, and the project if the token does not say which; what is wrong with them, or null. */
  enter(token, project) {
    const told = claims(token.trim());
    if (!guid(told?.[this.config.tenantClaim])) return "badToken";
    if (told.exp && told.exp * 1000 < Date.now()) return "expiredToken";
    const chosen = project?.trim() || projects(told, this.config)[0];
    if (!chosen) return "needsProject";
    if (!guid(chosen)) return "badProject";
    sessionStorage.setItem(TOKEN, token.trim());
    this.project = guid(chosen);
    return null;
  }

  /** Forget the token, but not the project: its owner comes back to where they were. */
  close() {
    sessionStorage.removeItem(TOKEN);
  }

  /** Whose a token is, and for what. */
  owner(token, project) {
    const told = claims(token) ?? {};
    return { user: String(told.sub ?? "–"), tenant: told[this.config.tenantClaim], project, service: location.host };
  }

  /** Trade the one-time code of `jobtrack open` for `{token, project, job}`; null when it is no longer good. */
  async redeem(code) {
    const asked = { method: "POST", cache: "no-store", credentials: "omit", body: JSON.stringify({ code }) };
    try {
      const response = await fetch("page/sessions", { ...asked, headers: { "Content-Type": "application/json" } });
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }
}

function projects(told, config) {
  const found = told[config.projectsClaim];
  return typeof found === "string" ? found.split(/[\s,]+/).filter(Boolean) : (found ?? []);
}
