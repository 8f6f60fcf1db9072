// The form that asks for a token.

import { t } from "../strings.js";
import { html, useEffect, useRef, useState } from "../vendor/preact.js";

/** @import { Session } from "../session.js" */

/** @param {{session: Session, notice: string | null, onSignIn: () => void}} props */
export function SignIn({ session, notice, onSignIn }) {
  const [error, setError] = useState(notice);
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  useEffect(() => field.current?.focus(), []);
  /** @param {Event & {currentTarget: HTMLFormElement}} event */
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const problem = session.signIn(String(form.get("token")), String(form.get("project")));
    if (problem) setError(problem);
    else onSignIn();
  };
  return html`<main id="content" class="signin">
    <form onSubmit=${submit}>
      <h1>${t("signIn")}</h1>
      ${error && html`<p role="alert" class="notice">${t(error)}</p>`}
      <label for="token">${t("token")}</label>
      <textarea
        id="token"
        name="token"
        rows="5"
        required
        spellcheck="false"
        autocomplete="off"
        aria-describedby="token-hint"
        ref=${field}
      ></textarea>
      <p class="dim" id="token-hint">${t("tokenHint")}</p>
      <label for="project">${t("project")}</label>
      <input
        id="project"
        name="project"
        spellcheck="false"
        autocomplete="off"
        aria-describedby="project-hint"
        defaultValue=${session.project ?? ""}
      />
      <p class="dim" id="project-hint">${t("projectHint")}</p>
      <button class="primary">${t("open")}</button>
    </form>
  </main>`;
}
