// Asks before a link replaces the user's session: the link may have been made by someone else.

import { t } from "../strings.js";
import { html, useEffect, useRef } from "../vendor/preact.js";

/** @import { Owner, Session } from "../session.js" */

/** @param {{session: Session, offer: Offered, onKeep: () => void, onAccept: (offer: Offered) => void}} props */
export function Offer({ session, offer, onKeep, onAccept }) {
  const keep = useRef(/** @type {HTMLButtonElement | null} */ (null));
  useEffect(() => keep.current?.focus(), []);
  const current = session.describe(session.token, session.project);
  const offered = session.describe(offer.token, offer.project);
  return html`<main id="content" class="signin">
    <section class="offer" role="alertdialog" aria-labelledby="offer" aria-describedby="offer-hint">
      <h1 id="offer">${t("offer", { user: offered.user })}</h1>
      <p class="dim" id="offer-hint">${t("offerHint")}</p>
      <${OwnerFacts} title=${t("offered")} owner=${offered} />
      <${OwnerFacts} title=${t("signedIn")} owner=${current} />
      <p>
        <button class="primary" ref=${keep} onClick=${onKeep}>${t("keep", { user: current.user })}</button>
        <button onClick=${() => onAccept(offer)}>${t("replace", { user: offered.user })}</button>
      </p>
    </section>
  </main>`;
}

/** @param {{title: string, owner: Owner}} props */
function OwnerFacts({ title, owner }) {
  return html`<h2>${title}</h2>
    <dl class="owner">
      ${Object.entries(owner).map(
        ([name, value]) => html`<div key=${name}>
          <dt>${t(name)}</dt>
          <dd>${value}</dd>
        </div>`,
      )}
    </dl>`;
}
