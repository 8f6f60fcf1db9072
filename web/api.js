// Sends requests to the service, and reads a path again when its content may have changed.

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15000;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Return the GUID in lower case, or null if the value is not a GUID.
 * @param {unknown} value
 */
export function guid(value) {
  return typeof value === "string" && GUID.test(value) ? value.toLowerCase() : null;
}

/**
 * Tag of a path below the project's path. Each value is encoded, so that it stays a single part of the path.
 * @param {TemplateStringsArray} texts
 * @param {...unknown} values
 * @returns {Path<any>}
 */
export function path(texts, ...values) {
  return String.raw({ raw: texts }, ...values.map(encode));
}

/** @param {unknown} value */
function encode(value) {
  if (value instanceof URLSearchParams) return value.toString();
  const text = String(value).toWellFormed();
  // Browsers resolve `.` and `..` even if they are percent-encoded.
  if (["", ".", ".."].includes(text)) throw new RangeError(`"${text}" cannot be a part of a path`);
  return encodeURIComponent(text);
}

/** The service refused the request; `status` and `problem` (RFC 9457) say why. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {Schema<"Problem"> | null} problem
   */
  constructor(status, problem) {
    super(problem?.detail ?? `HTTP ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

/** The service did not respond, or asked to retry; `retryAfterMs` is set if it said when. */
export class Unavailable extends Error {
  /**
   * @param {string} message
   * @param {number | null} retryAfterMs
   */
  constructor(message, retryAfterMs = null) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * A `repeatable` POST has the same effect when it arrives twice, so it needs no idempotency key.
 * @typedef {{
 *   body?: unknown, etag?: string | null, keepalive?: boolean, repeatable?: boolean, headers?: Record<string, string>
 * }} Options
 */

/** The requests of one user to one project. */
export class Api {
  /**
   * @param {string} base
   * @param {{tenant: string | null | undefined, project: string | null, token: string | null}} session
   * @param {string} language
   * @param {(state: "available" | "unavailable" | "expired") => void} onState
   */
  constructor(base, session, language, onState) {
    this.root = `${base}/api/${session.tenant}/${session.project}/execution`;
    this.token = session.token; // a copy: a user who signs in later gets another Api
    this.language = language;
    this.onState = onState;
  }

  /**
   * Send a request and return the response's body. The page does not show whether it succeeded.
   * @template Body
   * @param {string} method
   * @param {Path<Body>} path
   * @param {Options} [options]
   * @returns {Promise<Body>}
   */
  async send(method, path, options) {
    return this.#body(await this.#fetch(method, path, options));
  }

  /**
   * Return the body at a path.
   * @template Body
   * @param {Path<Body>} path
   */
  async get(path) {
    return this.#observe(this.send("GET", path));
  }

  /**
   * Send a POST without a body.
   * @template Body
   * @param {Path<Body>} path
   */
  async post(path) {
    return this.#observe(this.send("POST", path));
  }

  /**
   * Return the body at a path with its ETag, or null if it still has the given ETag.
   * @template Body
   * @param {Path<Body>} path
   * @param {string | null} etag
   * @returns {Promise<{body: Body, etag: string | null} | null>}
   */
  async getIfChanged(path, etag) {
    const response = await this.#observe(this.#fetch("GET", path, { etag }));
    if (response.status === 304) return null;
    return { body: await this.#body(response), etag: response.headers.get("ETag") };
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Options} options
   */
  async #fetch(method, path, { body, etag, keepalive, repeatable, headers: more } = {}) {
    /** @type {Record<string, string>} */
    const headers = { Authorization: `Bearer ${this.token}`, "Accept-Language": this.language, ...more };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (method === "POST" && !repeatable) headers["Idempotency-Key"] = crypto.randomUUID();
    if (etag) headers["If-None-Match"] = etag;
    let response;
    try {
      const json = body === undefined ? undefined : JSON.stringify(body);
      const options = { method, headers, keepalive, body: json };
      response = await fetch(this.root + path, { ...options, cache: "no-store", credentials: "omit" });
    } catch (error) {
      throw new Unavailable(String(error));
    }
    if (response.status === 429 || response.status >= 500) {
      const seconds = Number(response.headers.get("Retry-After"));
      throw new Unavailable(`HTTP ${response.status}`, seconds ? seconds * 1000 : null);
    }
    if (!response.ok && response.status !== 304) {
      throw new Refused(response.status, await response.json().catch(() => null));
    }
    return response;
  }

  /** @param {Response} response */
  async #body(response) {
    return response.status === 204 ? null : response.json().catch(() => null);
  }

  /**
   * Await a request and report to the page whether the service is available.
   * @template Result
   * @param {Promise<Result>} request
   */
  async #observe(request) {
    try {
      const result = await request;
      this.onState("available");
      return result;
    } catch (error) {
      if (error instanceof Unavailable) this.onState("unavailable");
      if (error instanceof Refused && error.status === 401) this.onState("expired");
      throw error;
    }
  }
}

/**
 * Reads one path each time `look` is called. It sends one request at a time, and retries while the service is unavailable.
 * @template Body
 */
export class Reader {
  etag = /** @type {string | null} */ (null);
  busy = false;
  missed = false; // whether `look` was called during a request
  stopped = false;
  failures = 0;
  timer = 0;

  /**
   * @param {Api} api
   * @param {Path<Body>} path
   * @param {(body: Body) => void} onBody called when the body has changed
   * @param {(error: Refused) => void} onRefused
   */
  constructor(api, path, onBody, onRefused) {
    this.api = api;
    this.path = path;
    this.onBody = onBody;
    this.onRefused = onRefused;
  }

  async look() {
    if (this.stopped || this.busy) {
      this.missed = true;
      return;
    }
    clearTimeout(this.timer);
    this.busy = true;
    this.missed = false;
    try {
      const changed = await this.api.getIfChanged(this.path, this.etag);
      this.failures = 0;
      if (changed && !this.stopped) {
        this.etag = changed.etag;
        this.onBody(changed.body);
      }
    } catch (error) {
      this.#handle(error);
    }
    this.busy = false;
    if (this.missed) this.look();
  }

  /** @param {unknown} error */
  #handle(error) {
    if (this.stopped) return;
    if (error instanceof Refused) {
      this.onRefused(error);
    } else if (error instanceof Unavailable) {
      this.missed = false;
      this.timer = setTimeout(() => this.look(), error.retryAfterMs ?? this.#delay());
    } else {
      throw error;
    }
  }

  /** Return the delay before the next retry: it doubles with each failure, and is random so that pages do not retry at once. */
  #delay() {
    return jitter(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures++));
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }
}

/**
 * Return a random delay between half of a delay and all of it.
 * @param {number} milliseconds
 */
export function jitter(milliseconds) {
  return (milliseconds * (1 + Math.random())) / 2;
}
