// The user's session: a token, kept until the tab is closed, and the project that the user chose.

import { guid } from "./api.js";

const TOKEN = "jobtrack.token";
const PROJECT = "jobtrack.project";

/**
 * Return the claims of a token, or null if the text is not a token. The signature is not verified: the service does that.
 * @param {string} token
 * @returns {Record<string, any> | null}
 */
export function claims(token) {
  try {
    const body = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(body), (byte) => byte.charCodeAt(0))));
  } catch {
    return null;
  }
}

export class Session {
  /** @param {Config} config */
  constructor(config) {
    this.config = config;
  }

  get token() {
    return sessionStorage.getItem(TOKEN);
  }

  /** @returns {string | null | undefined} */
  get tenant() {
    return this.token && claims(this.token)?.[this.config.tenantClaim];
  }

  /** Milliseconds until the token expires; NaN if there is no token or it does not expire. */
  get remainingMs() {
    const expiry = this.token && claims(this.token)?.exp;
    return expiry ? expiry * 1000 - Date.now() : NaN;
  }

  get project() {
    return sessionStorage.getItem(PROJECT);
  }

  /** @param {string | null} project */
  set project(project) {
    if (project === null) sessionStorage.removeItem(PROJECT);
    else sessionStorage.setItem(PROJECT, project);
  }

  get isSignedIn() {
    return Boolean(this.token) && !(this.remainingMs <= 0);
  }

  /**
   * Store a token, and the project if the token does not name one. Return the name of an error message, or null.
   * @param {string} token
   * @param {string | null} [project]
   */
  signIn(token, project) {
    const given = claims(token.trim());
    if (given === null || !guid(given[this.config.tenantClaim])) return "badToken";
    if (given.exp && given.exp * 1000 < Date.now()) return "expiredToken";
    const chosen = project?.trim() || this.#projects(given)[0];
    if (!chosen) return "needsProject";
    if (!guid(chosen)) return "badProject";
    sessionStorage.setItem(TOKEN, token.trim());
    this.project = guid(chosen);
    return null;
  }

  /**
   * The claim is an array, or a text of ids with commas or spaces between them.
   * @param {Record<string, any>} claims
   * @returns {string[]}
   */
  #projects(claims) {
    const projects = claims[this.config.projectsClaim];
    return typeof projects === "string" ? projects.split(/[\s,]+/).filter(Boolean) : (projects ?? []);
  }

  /** Remove the token, but keep the project: the user returns to it with a new token. */
  signOut() {
    sessionStorage.removeItem(TOKEN);
  }

  /**
   * Describe the user of a token and what it gives access to.
   * @param {string | null} token
   * @param {string | null} project
   * @returns {Owner}
   */
  describe(token, project) {
    const given = (token && claims(token)) || {};
    return { user: String(given.sub ?? "–"), tenant: given[this.config.tenantClaim], project, service: location.host };
  }

  /**
   * Trade the one-time code of `jobtrack open` for a session. Return null if the code is not valid any more.
   * @param {string} code
   * @returns {Promise<Offered | null>}
   */
  async redeem(code) {
    try {
      const response = await fetch("page/sessions", {
        method: "POST",
        cache: "no-store",
        credentials: "omit",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ code }),
      });
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }
}

/** @typedef {{user: string, tenant: string | undefined, project: string | null, service: string}} Owner */
