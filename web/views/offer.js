// Asks before a link changes who is signed in: who made the link may not be the one who follows it.

import { html, useEffect, useRef } from "../vendor/preact.js";
import { t } from "../strings.js";

export function Offer({ session, offer, onKeep, onEnter }) {
  const keep = useRef(null);
  useEffect(() => keep.current.focus(), []);
  const now = session.owner(session.token, session.project);
  const then = session.owner(offer.token, offer.project);
  return html`<main id="content" class="signin">
    <section class="offer" role="alertdialog" aria-labelledby="offer" aria-describedby="offer-hint">
      <h1 id="offer">${t("offer", { user: then.user })}</h1>
      <p class="dim" id="offer-hint">${t("offerHint")}</p>
      <${Owner} title=${t("offered")} owner=${then} />
      <${Owner} title=${t("signedIn")} owner=${now} />
      <p>
        <button class="primary" ref=${keep} onClick=${onKeep}>${t("keep", { user: now.user })}</button>
        <button onClick=${() => onEnter(offer)}>${t("replace", { user: then.user })}</button>
      </p>
    </section>
  </main>`;
}

function Owner({ title, owner }) {
  return html`<h2>${title}</h2>
    <dl class="owner">
      ${["user", "tenant", "project", "service"].map(
        (name) => html`<div key=${name}>
          <dt>${t(name)}</dt>
          <dd>${owner[name]}</dd>
        </div>`,
      )}
    </dl>`;
}
