// Requests to the service, and answers that are read again whenever something may be new.

const FIRST_MS = 500;
const LONGEST_MS = 15000;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The GUID in lower case; null if the text is none. */
export function guid(text) {
  return typeof text === "string" && GUID.test(text) ? text.toLowerCase() : null;
}

/** Tags a path below the project's: each value is encoded, so that it stays the one part that it is. */
export function path(texts, ...values) {
  return String.raw({ raw: texts }, ...values.map(encoded));
}

function encoded(value) {
  if (value instanceof URLSearchParams) return value.toString();
  const text = String(value).toWellFormed();
  // Browsers resolve these two whatever their encoding.
  if (["", ".", ".."].includes(text)) throw new RangeError(`"${text}" cannot be a part of a path`);
  return encodeURIComponent(text);
}

/** The service refused; `status` and `problem` (RFC 9457) say why. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? `HTTP ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

/** No answer, or one that says to come again, after `wait` milliseconds if it says when. */
export class Away extends Error {
  constructor(message, wait = null) {
    super(message);
    this.wait = wait;
  }
}

export class Api {
  /** `told` is told of `expired`, `away` and `back`. */
  constructor(base, session, language, told) {
    this.root = `${base}/api/${session.tenant}/${session.project}/execution`;
    this.token = session.token; // kept: who signs in later has an Api of their own
    this.language = language;
    this.told = told;
  }

  /** `repeatable` POSTs have the same effect when they arrive twice. */
  async send(method, path, { body, etag, keepalive, repeatable, headers: more } = {}) {
    const headers = { Authorization: `Bearer ${this.token}`, "Accept-Language": this.language, ...more };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (method === "POST" && !repeatable) headers["Idempotency-Key"] = crypto.randomUUID();
    if (etag) headers["If-None-Match"] = etag;
    let response;
    try {
      const options = { method, headers, keepalive, cache: "no-store", credentials: "omit" };
      response = await fetch(this.root + path, body === undefined ? options : { ...options, body: JSON.stringify(body) });
    } catch (error) {
      throw new Away(error.message);
    }
    if (response.status === 304) return { same: true, etag };
    if (response.status === 429 || response.status >= 500) {
      const seconds = Number(response.headers.get("Retry-After"));
      throw new Away(`HTTP ${response.status}`, seconds ? seconds * 1000 : null);
    }
    const answer = response.status === 204 ? null : await response.json().catch(() => null);
    if (!response.ok) throw new Refused(response.status, answer);
    return { body: answer, etag: response.headers.get("ETag") };
  }

  /** What `send` answers, told apart from what the whole page has to know. */
  async ask(method, path, options) {
    try {
      const answer = await this.send(method, path, options);
      this.told("back");
      return answer;
    } catch (error) {
      if (error instanceof Away) this.told("away");
      if (error instanceof Refused && error.status === 401) this.told("expired");
      throw error;
    }
  }
}

/** Reads one path whenever it is asked to `look`: one request at a time, again and again while the service is away. */
export class Reader {
  constructor(api, path, onAnswer, onRefused = () => {}) {
    Object.assign(this, { api, path, onAnswer, onRefused });
    this.etag = null;
    this.busy = this.missed = this.stopped = false;
    this.failures = 0;
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
      const answer = await this.api.ask("GET", this.path, { etag: this.etag });
      this.failures = 0;
      if (!this.stopped && !answer.same) {
        this.etag = answer.etag;
        this.onAnswer(answer.body);
      }
    } catch (error) {
      this.failed(error);
    }
    this.busy = false;
    if (this.missed) this.look();
  }

  failed(error) {
    if (this.stopped) return;
    if (error instanceof Refused) {
      this.onRefused(error);
    } else if (error instanceof Away) {
      this.missed = false;
      const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.failures++);
      this.timer = setTimeout(() => this.look(), error.wait ?? (longest * (1 + Math.random())) / 2);
    } else {
      throw error;
    }
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }
}
