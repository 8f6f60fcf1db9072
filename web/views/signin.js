// Asks for a token.

import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { t } from "../strings.js";

export function SignIn({ session, reason, onOpen }) {
  const [wrong, setWrong] = useState(reason);
  const field = useRef(null);
  useEffect(() => field.current.focus(), []);
  const submit = (event) => {
    event.preventDefault();
    const told = new FormData(event.currentTarget);
    const problem = session.enter(told.get("token"), told.get("project"));
    if (problem) setWrong(problem);
    else onOpen();
  };
  return html`<main id="content" class="signin">
    <form onSubmit=${submit}>
      <h1>${t("signIn")}</h1>
      ${wrong && html`<p role="alert" class="notice">${t(wrong)}</p>`}
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
