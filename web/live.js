// Decides when to read a job again: when it pushes an event over a WebSocket, or every few seconds without one.

import { jitter, Refused, Unavailable } from "./api.js";
import { renewPath, subscribePath, subscriptionPath, ticketPath } from "./routes.js";

const POLL_MS = 2000;
const POLL_BESIDE_SOCKET_MS = 10000; // samples, log lines and the passing of time are not pushed
const DEBOUNCE_MS = 400; // events within this time cause one read
const FIRST_RECONNECT_MS = 1000; // the delay doubles with each failure
const LONGEST_RECONNECT_MS = 30000;
// A visible page renews its subscription. If the browser is killed, the subscription expires after this time.
const EXPIRES_SECONDS = 180;
const RENEW_MS = 60000;
// A job can have 100 subscriptions. The service refuses the page's one if this many exist, and the page polls instead:
// viewers must not use up the subscriptions that customers need.
const SUBSCRIPTION_LIMIT = { "Jobtrack-Most-Subscriptions": "20" };
const EVENTS = [
  ...["jobStarted", "jobCompleted", "jobFailed", "jobCancelled", "jobStalled", "progressUpdate", "milestone"],
  ...["stageStarted", "stageCompleted", "stageFailed", "stageSkipped", "warning", "error"],
];

/** @typedef {"socket" | "polling"} Transport */

/** Calls `onChange` when the job may have changed, and `onTransport` when the transport changes. `stop` ends it. */
export class Live {
  subscription = /** @type {string | null} */ (null);
  socket = /** @type {WebSocket | null} */ (null);
  lastSequence = /** @type {number | null} */ (null);
  failures = 0;
  visits = 0; // incremented when the page is left: what an earlier visit started is then discarded
  present = false;
  connecting = false;
  listening = new AbortController();
  pollTimer = 0;
  renewTimer = 0;
  reconnectTimer = 0;

  /**
   * @param {import("./api.js").Api} api
   * @param {string} jobId
   * @param {() => void} onChange
   * @param {(transport: Transport) => void} onTransport
   */
  constructor(api, jobId, onChange, onTransport) {
    this.api = api;
    this.jobId = jobId;
    this.onTransport = onTransport;
    this.change = debounce(onChange);
    this.#watchVisibility();
    this.#enter();
  }

  #watchVisibility() {
    const { signal } = this.listening;
    addEventListener("pagehide", () => this.#leave(), { signal });
    addEventListener("pageshow", ({ persisted }) => persisted && this.#enter(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.#resume(), { signal });
  }

  #enter() {
    this.present = true;
    this.renewTimer = setInterval(() => document.hidden || this.#renew(), RENEW_MS);
    this.#poll("polling", POLL_MS);
    this.#connect();
  }

  /** Close everything: the page is closed, or kept in the browser's back-forward cache. */
  #leave() {
    this.present = false;
    this.visits++;
    clearInterval(this.renewTimer);
    clearInterval(this.pollTimer);
    clearTimeout(this.reconnectTimer);
    hangUp(this.socket);
    this.socket = null;
    this.#unsubscribe(this.subscription);
    this.subscription = null;
  }

  /** Read at once when the page becomes visible again. A subscription that was not renewed meanwhile has expired. */
  #resume() {
    this.change();
    if (this.socket === null) this.#connect();
  }

  stop() {
    this.listening.abort();
    this.#leave();
  }

  async #connect() {
    clearTimeout(this.reconnectTimer);
    if (!this.present || document.hidden || this.connecting) return;
    const visit = this.visits;
    this.connecting = true;
    try {
      const url = await this.#requestUrl(visit);
      if (visit === this.visits && url) this.#listen(url);
    } catch (error) {
      if (error instanceof Unavailable) this.#reconnectLater();
      // Not allowed, job ended, or too many subscriptions: the page goes on polling.
      else if (!(error instanceof Refused)) throw error;
    } finally {
      this.connecting = false;
      if (visit !== this.visits) this.#connect();
    }
  }

  /**
   * Return the URL to connect to, for the existing subscription or a new one.
   * @param {number} visit
   */
  async #requestUrl(visit) {
    if (this.subscription) {
      try {
        return (await this.api.send("POST", ticketPath(this.subscription))).websocketUrl;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        this.subscription = null; // it has ended
      }
    }
    const body = { subscriptionType: "websocket", events: EVENTS, expiresInSeconds: EXPIRES_SECONDS };
    const options = { body, headers: SUBSCRIPTION_LIMIT };
    const subscription = await this.api.send("POST", subscribePath(this.jobId), options);
    if (visit === this.visits) this.subscription = subscription.subscriptionId;
    else this.#unsubscribe(subscription.subscriptionId);
    return subscription.websocketUrl;
  }

  async #renew() {
    if (!this.subscription) return;
    const body = { expiresInSeconds: EXPIRES_SECONDS };
    try {
      await this.api.send("POST", renewPath(this.subscription), { body, repeatable: true });
    } catch (error) {
      // If the subscription has ended, the service closes the socket.
      if (!(error instanceof Unavailable || error instanceof Refused)) throw error;
    }
  }

  /**
   * Failures do not matter: a subscription that is left behind expires.
   * @param {string | null} subscription
   */
  #unsubscribe(subscription) {
    if (subscription) {
      // The browser completes a `keepalive` request even if the page is closed.
      this.api.send("DELETE", subscriptionPath(subscription), { keepalive: true }).catch(() => {});
    }
  }

  /** @param {string} url */
  #listen(url) {
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = (message) => this.#received(JSON.parse(message.data));
    socket.onclose = () => this.#closed(socket);
  }

  /** @param {WebSocket} socket */
  #opened(socket) {
    if (this.lastSequence !== null) {
      socket.send(JSON.stringify({ action: "resume", sinceSequence: this.lastSequence }));
    }
    this.failures = 0;
    this.#poll("socket", POLL_BESIDE_SOCKET_MS);
    this.change();
  }

  /** @param {{type: string, data: {sequence?: number}}} message */
  #received(message) {
    if (message.type === "subscriptionEnded") {
      this.subscription = null;
      hangUp(this.socket);
    }
    this.lastSequence = Math.max(this.lastSequence ?? 0, message.data.sequence ?? 0);
    this.change();
  }

  /** @param {WebSocket} socket */
  #closed(socket) {
    if (socket !== this.socket) return;
    this.socket = null;
    this.#poll("polling", POLL_MS);
    this.#reconnectLater();
  }

  #reconnectLater() {
    const delay = jitter(Math.min(LONGEST_RECONNECT_MS, FIRST_RECONNECT_MS * 2 ** this.failures++));
    clearTimeout(this.reconnectTimer);
    this.reconnectTimer = setTimeout(() => this.#connect(), delay);
  }

  /**
   * @param {Transport} transport
   * @param {number} interval milliseconds
   */
  #poll(transport, interval) {
    clearInterval(this.pollTimer);
    this.onTransport(transport);
    this.pollTimer = setInterval(() => document.hidden || this.change(), interval);
  }
}

/**
 * Close a socket once it is open: browsers log an error when a socket is closed while it connects.
 * @param {WebSocket | null} socket
 */
function hangUp(socket) {
  if (socket?.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
  else socket?.close();
}

/**
 * Return a function that calls another once for all its calls within a short time.
 * @param {() => void} call
 */
function debounce(call) {
  let pending = false;
  return () => {
    if (pending) return;
    pending = true;
    setTimeout(() => {
      pending = false;
      call();
    }, DEBOUNCE_MS);
  };
}
