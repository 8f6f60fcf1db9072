// When to look again at a job: as it pushes events over a WebSocket, or every few seconds where none can be had.

import { Away, Refused } from "./api.js";

const POLL_MS = 2000;
const BESIDE_MS = 10000; // beside a socket, for samples, log lines and time, which are not pushed
const GATHER_MS = 400; // events within this time are one look
const FIRST_MS = 1000; // a socket that was lost is tried for again after this time, then after twice as long
const LONGEST_MS = 30000;
const HOUR_SECONDS = 3600;
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
    this.seen = null;
    this.stopped = false;
    this.failures = 0;
    this.poll("polling", POLL_MS);
    this.connect();
  }

  stop() {
    this.stopped = true;
    clearInterval(this.polling);
    clearTimeout(this.again);
    hangUp(this.socket);
    if (this.subscription) {
      // The page may be on its way out; a subscription that is left behind expires by itself.
      this.api.send("DELETE", `/subscription/${this.subscription}`, { keepalive: true }).catch(() => {});
      this.subscription = null;
    }
  }

  async connect() {
    let url;
    try {
      url = await this.ticket();
    } catch (error) {
      if (error instanceof Away) return this.later();
      if (error instanceof Refused) return; // not allowed, or the job has ended: polling will do
      throw error;
    }
    if (this.stopped) return this.stop();
    this.socket = new WebSocket(url);
    this.socket.onopen = () => this.opened();
    this.socket.onmessage = (message) => this.heard(JSON.parse(message.data));
    this.socket.onclose = () => this.lost();
  }

  async ticket() {
    if (this.subscription) {
      return (await this.api.send("POST", `/subscription/${this.subscription}/ticket`)).body.websocketUrl;
    }
    const wanted = { subscriptionType: "websocket", events: EVENTS, expiresInSeconds: HOUR_SECONDS };
    const { body } = await this.api.send("POST", `/job/${this.jobId}/subscribe`, { body: wanted });
    this.subscription = body.subscriptionId;
    return body.websocketUrl;
  }

  opened() {
    if (this.seen !== null) this.socket.send(JSON.stringify({ action: "resume", sinceSequence: this.seen }));
    this.failures = 0;
    this.poll("socket", BESIDE_MS);
    this.change();
  }

  heard(message) {
    if (message.type === "subscriptionEnded") this.subscription = null;
    this.seen = Math.max(this.seen ?? 0, message.data.sequence ?? 0);
    this.change();
  }

  lost() {
    if (this.stopped) return;
    this.poll("polling", POLL_MS);
    this.later();
  }

  later() {
    const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** this.failures++);
    if (!this.stopped) this.again = setTimeout(() => this.connect(), (longest * (1 + Math.random())) / 2);
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
