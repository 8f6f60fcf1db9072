// When to look again at a job: as it pushes events over a WebSocket, or every few seconds without one.

import { Away, Refused, path } from "./api.js";

const POLL_MS = 2000;
const BESIDE_MS = 10000; // beside a socket, for samples, log lines and time, which are not pushed
const GATHER_MS = 400; // events within this time are one look
const FIRST_MS = 1000; // a socket that was lost is tried for again after this time, then after twice as long
const LONGEST_MS = 30000;
// A subscription is renewed while somebody looks. That of a browser that was killed is gone after this time.
const EXPIRES_SECONDS = 180;
const RENEW_MS = 60000;
// A job has 100 subscriptions. Where this many are live, the page polls, so that viewers never use up a customer's.
const MOST_LIVE = { "Jobtrack-Most-Subscriptions": "20" };
const EVENTS = [
  ...["jobStarted", "jobCompleted", "jobFailed", "jobCancelled", "jobStalled", "progressUpdate", "milestone"],
  ...["stageStarted", "stageCompleted", "stageFailed", "stageSkipped", "warning", "error"],
];

/** Calls `onChange` when the job may be different, `onWay` with `socket` or `polling`; `stop` ends it. */
export class Live {
  constructor(api, jobId, onChange, onWay) {
    Object.assign(this, { api, jobId, onWay });
    this.change = gathered(onChange);
    this.subscription = null;
    this.socket = null;
    this.seen = null;
    this.failures = 0;
    this.visits = 0; // counts up when the page is left, so that what was under way then is known to be over
    this.here = false;
    this.watch();
    this.come();
  }

  watch() {
    this.listening = new AbortController();
    const { signal } = this.listening;
    addEventListener("pagehide", () => this.leave(), { signal });
    addEventListener("pageshow", ({ persisted }) => persisted && this.come(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.return(), { signal });
  }

  come() {
    this.here = true;
    this.renewing = setInterval(() => document.hidden || this.renew(), RENEW_MS);
    this.poll("polling", POLL_MS);
    this.connect();
  }

  /** The page is hidden for good, or kept to come back to: nothing of it stays open. */
  leave() {
    this.here = false;
    this.visits++;
    clearInterval(this.renewing);
    clearInterval(this.polling);
    clearTimeout(this.again);
    hangUp(this.socket);
    this.socket = null;
    this.unsubscribe(this.subscription);
    this.subscription = null;
  }

  /** Somebody looks again; what was not renewed meanwhile has ended. */
  return() {
    this.change();
    if (this.socket === null) this.connect();
  }

  stop() {
    this.listening.abort();
    this.leave();
  }

  async connect() {
    clearTimeout(this.again);
    if (!this.here || document.hidden || this.connecting) return;
    const visit = this.visits;
    this.connecting = true;
    try {
      const url = await this.ticket(visit);
      if (visit === this.visits) this.listen(url);
    } catch (error) {
      if (error instanceof Away) this.later();
      else if (!(error instanceof Refused)) throw error; // not allowed, ended, or too many: polling will do
    } finally {
      this.connecting = false;
      if (visit !== this.visits) this.connect();
    }
  }

  /** Where to connect: by the subscription that there is, or a new one. */
  async ticket(visit) {
    if (this.subscription) {
      try {
        return (await this.api.send("POST", path`/subscription/${this.subscription}/ticket`)).body.websocketUrl;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        this.subscription = null; // it has ended
      }
    }
    const body = { subscriptionType: "websocket", events: EVENTS, expiresInSeconds: EXPIRES_SECONDS };
    const made = await this.api.send("POST", path`/job/${this.jobId}/subscribe`, { body, headers: MOST_LIVE });
    if (visit === this.visits) this.subscription = made.body.subscriptionId;
    else this.unsubscribe(made.body.subscriptionId);
    return made.body.websocketUrl;
  }

  async renew() {
    if (!this.subscription) return;
    const body = { expiresInSeconds: EXPIRES_SECONDS };
    try {
      await this.api.send("POST", path`/subscription/${this.subscription}/renew`, { body, repeatable: true });
    } catch (error) {
      if (!(error instanceof Away || error instanceof Refused)) throw error; // the socket will be closed
    }
  }

  /** The page may be on its way out; a subscription that is left behind expires by itself. */
  unsubscribe(subscription) {
    if (subscription) {
      this.api.send("DELETE", path`/subscription/${subscription}`, { keepalive: true }).catch(() => {});
    }
  }

  listen(url) {
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.onopen = () => this.opened();
    socket.onmessage = (message) => this.heard(JSON.parse(message.data));
    socket.onclose = () => this.lost(socket);
  }

  opened() {
    if (this.seen !== null) this.socket.send(JSON.stringify({ action: "resume", sinceSequence: this.seen }));
    this.failures = 0;
    this.poll("socket", BESIDE_MS);
    this.change();
  }

  heard(message) {
    if (message.type === "subscriptionEnded") {
      this.subscription = null;
      hangUp(this.socket);
    }
    this.seen = Math.max(this.seen ?? 0, message.data.sequence ?? 0);
    this.change();
  }

  lost(socket) {
    if (socket !== this.socket) return;
    this.socket = null;
    this.poll("polling", POLL_MS);
    this.later();
  }

  later() {
    const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.failures++);
    clearTimeout(this.again);
    this.again = setTimeout(() => this.connect(), (longest * (1 + Math.random())) / 2);
  }

  poll(way, every) {
    clearInterval(this.polling);
    this.onWay(way);
    this.polling = setInterval(() => document.hidden || this.change(), every);
  }
}

/** Close it once it is open: the console would tell of one that is closed while it connects. */
function hangUp(socket) {
  if (socket?.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
  else socket?.close();
}

function gathered(call) {
  let timer = null;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      call();
    }, GATHER_MS);
  };
}
