// The page as a whole: the session, the route, and whether the service is available.

import { take } from "./address.js";
import { Api } from "./api.js";
import { Empty } from "./parts.js";
import { Session } from "./session.js";
import { language, switchLanguage, t } from "./strings.js";
import { html, render, useEffect, useMemo, useState } from "./vendor/preact.js";
import { Job } from "./views/job.js";
import { Jobs } from "./views/jobs.js";
import { Offer } from "./views/offer.js";
import { SignIn } from "./views/signin.js";

/** @import { Route } from "./address.js" */

const initialRoute = take(); // first of all, so that a code stays in the address as briefly as possible
/** @type {Config} */
const config = await (await fetch("config.json", { cache: "no-store" })).json();
const session = new Session(config);
const LONGEST_TIMER_MS = 2 ** 31 - 1; // browsers run a longer timer at once

function App() {
  const [route, setRoute] = useState(initialRoute);
  const [currentLanguage, setCurrentLanguage] = useState(language);
  const [token, setToken] = useState(session.token);
  const [offer, setOffer] = useState(/** @type {Offered | null} */ (null));
  const [redeeming, setRedeeming] = useState(initialRoute.code !== undefined);
  const [notice, setNotice] = useState(/** @type {string | null} */ (null));
  const [available, setAvailable] = useState(true);
  /** @param {Offered} offered */
  const accept = ({ token: given, project, job }) => {
    const error = session.signIn(given ?? "", project);
    setOffer(null);
    setNotice(error);
    setToken(session.token);
    if (job && !error) location.hash = `#/job/${job}`;
  };
  /**
   * Go to a link's route. A link can offer a session; if a user is signed in, the page asks before it replaces theirs.
   * @param {Route} link
   */
  const follow = async (link) => {
    setOffer(null);
    setNotice(null);
    setRoute(link);
    setRedeeming(link.code !== undefined);
    const offered = await readOffer(link);
    setRedeeming(false);
    if (offered === undefined) return;
    if (offered === null) setNotice("badCode");
    else if (session.isSignedIn) setOffer(offered);
    else if (offered.token) accept(offered);
    else {
      session.project = offered.project; // the sign-in form starts with this project
      setRoute({ ...link });
    }
  };
  useEffect(() => {
    const moved = () => follow(take());
    follow(initialRoute);
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  /** @param {string | null} reason */
  const signOut = (reason = null) => {
    session.signOut();
    setNotice(reason);
    setToken(null);
  };
  useEffect(() => {
    const remaining = session.remainingMs;
    if (!(remaining < LONGEST_TIMER_MS)) return undefined; // NaN as well: the token does not expire
    const timer = setTimeout(() => signOut("expired"), Math.max(0, remaining));
    return () => clearTimeout(timer);
  }, [token]);
  const api = useMemo(() => {
    const onState = /** @param {"available" | "unavailable" | "expired"} state */ (state) =>
      state === "expired" ? signOut("expired") : setAvailable(state === "available");
    return token && new Api(config.api, session, currentLanguage, onState);
  }, [token, currentLanguage, session.project]);
  const onSignIn = () => {
    setNotice(null);
    setToken(session.token);
  };
  const toggleLanguage = () => {
    switchLanguage();
    setCurrentLanguage(language);
  };
  return html`<a class="skip" href="#content" onClick=${skip}>${t("skip")}</a>
    <header class="top">
      <a href="#/" class="brand"><img src="icon.svg" alt="" width="24" height="24" /> jobtrack</a>
      <span class="dim project">${token && session.project}</span>
      <button class="small" onClick=${toggleLanguage} lang=${currentLanguage === "ja" ? "en" : "ja"}>${t("language")}</button>
      ${token && html`<button class="small" onClick=${() => signOut()}>${t("signOut")}</button>`}
    </header>
    ${!available && api && html`<p class="banner" role="alert">${t("unavailable")}</p>`}
    ${api && notice && html`<p class="banner" role="alert">${t(notice)}</p>`}
    ${offer && html`<${Offer} session=${session} offer=${offer} onKeep=${() => setOffer(null)} onAccept=${accept} />`}
    ${!offer && api && html`<${View} key=${`${currentLanguage} ${session.project}`} api=${api} route=${route} />`}
    ${!offer && !api && !redeeming && html`<${SignIn} key=${`${notice} ${session.project}`} session=${session} notice=${notice} onSignIn=${onSignIn} />`}`;
}

/**
 * Return the session that a link offers: that of a one-time code (null if it is not valid), or the user's own session in
 * another project; undefined if it offers none.
 * @param {Route} link
 * @returns {Promise<Offered | null | undefined>}
 */
async function readOffer({ code, project }) {
  if (code !== undefined) return session.redeem(code);
  if (project && project !== session.project) return { token: session.token, project };
  return undefined;
}

/** @param {{api: Api, route: Route}} props */
function View({ api, route }) {
  if (route.id) return html`<${Job} key=${route.id} api=${api} jobId=${route.id} tab=${route.tab} />`;
  if (route.kind === "job") return html`<main id="content"><${Empty} title=${t("badJob")} /></main>`;
  return html`<${Jobs} api=${api} status=${route.status} />`;
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  const content = document.getElementById("content");
  if (content === null) return;
  content.tabIndex = -1;
  content.focus();
}

render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
