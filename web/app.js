// The page: who looks, where in it they are, and whether the service answers.

import { html, render, useEffect, useMemo, useState } from "./vendor/preact.js";
import { Api } from "./api.js";
import { Session } from "./session.js";
import { language, switchLanguage, t } from "./strings.js";
import { Job } from "./views/job.js";
import { Jobs } from "./views/jobs.js";
import { SignIn } from "./views/signin.js";

const config = await (await fetch("config.json", { cache: "no-store" })).json();
const session = new Session(config);
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const refusal = session.openFromAddress();

function App() {
  const [route, setRoute] = useState(location.hash);
  const [spoken, setSpoken] = useState(language);
  const [token, setToken] = useState(session.token);
  const [reason, setReason] = useState(refusal);
  const [away, setAway] = useState(false);
  useEffect(() => {
    const moved = () => {
      // Somebody may have come with a new token.
      const problem = session.openFromAddress();
      setReason(problem);
      setToken(session.token);
      setRoute(location.hash);
    };
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  const signOut = (why = null) => {
    session.close();
    setReason(why);
    setToken(null);
  };
  useEffect(() => {
    const left = session.left;
    if (!(left < LONGEST_TIMER_MS)) return undefined;
    const timer = setTimeout(() => signOut("expired"), Math.max(0, left));
    return () => clearTimeout(timer);
  }, [token]);
  const api = useMemo(() => {
    const told = { expired: () => signOut("expired"), away: () => setAway(true), back: () => setAway(false) };
    return token && new Api(config.api, session, spoken, (what) => told[what]());
  }, [token, spoken]);
  const speak = () => {
    switchLanguage();
    setSpoken(language);
  };
  return html`<a class="skip" href="#content" onClick=${skip}>${t("skip")}</a>
    <header class="top">
      <a href="#/" class="brand"><img src="icon.svg" alt="" width="24" height="24" /> jobtrack</a>
      <span class="dim project">${token && session.project}</span>
      <button class="small" onClick=${speak} lang=${spoken === "ja" ? "en" : "ja"}>${t("language")}</button>
      ${token && html`<button class="small" onClick=${() => signOut()}>${t("signOut")}</button>`}
    </header>
    ${away && api && html`<p class="away" role="alert">${t("away")}</p>`}
    ${api
      ? html`<${View} key=${spoken} api=${api} route=${route} />`
      : html`<${SignIn} session=${session} reason=${reason} onOpen=${() => setToken(session.token)} />`}`;
}

/** `#/job/ID/TAB`, `#/jobs/STATUS`, or `#/` for all jobs. */
function View({ api, route }) {
  const [, kind, name, tab] = route.split("/");
  if (kind === "job" && name) return html`<${Job} key=${name} api=${api} jobId=${name} tab=${tab} />`;
  return html`<${Jobs} api=${api} status=${kind === "jobs" ? name : undefined} />`;
}

function skip(event) {
  event.preventDefault();
  const content = document.getElementById("content");
  content.tabIndex = -1;
  content.focus();
}

render(html`<${App} />`, document.getElementById("app"));
