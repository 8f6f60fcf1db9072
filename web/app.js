// The page: who looks, where in it they are, and whether the service answers.

import { html, render, useEffect, useMemo, useState } from "./vendor/preact.js";
import { take } from "./address.js";
import { Api } from "./api.js";
import { Empty } from "./parts.js";
import { Session } from "./session.js";
import { language, switchLanguage, t } from "./strings.js";
import { Job } from "./views/job.js";
import { Jobs } from "./views/jobs.js";
import { Offer } from "./views/offer.js";
import { SignIn } from "./views/signin.js";

const arrival = take(); // before anything else, so that no code stays in the address
const config = await (await fetch("config.json", { cache: "no-store" })).json();
const session = new Session(config);
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function App() {
  const [route, setRoute] = useState(arrival);
  const [spoken, setSpoken] = useState(language);
  const [token, setToken] = useState(session.token);
  const [offer, setOffer] = useState(null);
  const [redeeming, setRedeeming] = useState(arrival.code !== undefined);
  const [reason, setReason] = useState(null);
  const [away, setAway] = useState(false);
  const enter = ({ token: given, project, job }) => {
    const problem = session.enter(given, project);
    setOffer(null);
    setReason(problem);
    setToken(session.token);
    if (job && !problem) location.hash = `#/job/${job}`;
  };
  /** A link may bring a session along, but never in place of that of somebody who is signed in. */
  const follow = async (link) => {
    setOffer(null);
    setReason(null);
    setRoute(link);
    setRedeeming(link.code !== undefined);
    const found = await brought(link);
    setRedeeming(false);
    if (found === undefined) return;
    if (found === null) setReason("badCode");
    else if (session.open) setOffer(found);
    else if (found.token) enter(found);
    else {
      session.project = found.project; // for whoever signs in now
      setRoute({ ...link });
    }
  };
  useEffect(() => {
    const moved = () => follow(take());
    follow(arrival);
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
  }, [token, spoken, session.project]);
  const opened = () => {
    setReason(null);
    setToken(session.token);
  };
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
    ${api && reason && html`<p class="away" role="alert">${t(reason)}</p>`}
    ${offer && html`<${Offer} session=${session} offer=${offer} onKeep=${() => setOffer(null)} onEnter=${enter} />`}
    ${!offer && api && html`<${View} key=${spoken + session.project} api=${api} route=${route} />`}
    ${!offer && !api && !redeeming && html`<${SignIn} key=${reason + session.project} session=${session} reason=${reason} onOpen=${opened} />`}`;
}

/** The session that a link brings: of a one-time code (null if it is not good), of another project, or undefined. */
async function brought({ code, project }) {
  if (code !== undefined) return session.redeem(code);
  if (project && project !== session.project) return { token: session.token, project };
  return undefined;
}

function View({ api, route }) {
  if (route.id) return html`<${Job} key=${route.id} api=${api} jobId=${route.id} tab=${route.tab} />`;
  if (route.kind === "job") return html`<main id="content"><${Empty} title=${t("badJob")} /></main>`;
  return html`<${Jobs} api=${api} status=${route.status} />`;
}

function skip(event) {
  event.preventDefault();
  const content = document.getElementById("content");
  content.tabIndex = -1;
  content.focus();
}

render(html`<${App} />`, document.getElementById("app"));
