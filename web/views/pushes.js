// Who is pushed the job's events, and what became of each message.

import { html, useState } from "../vendor/preact.js";
import { moment } from "../format.js";
import { Empty, Problem, Status, useAnswer } from "../parts.js";
import { Refused, path } from "../api.js";
import { t } from "../strings.js";

export function Pushes({ api, jobId, tick }) {
  const { answer, refused } = useAnswer(api, path`/job/${jobId}/subscriptions`, tick);
  if (refused) return html`<${Problem} refused=${refused} />`;
  if (!answer) return null;
  if (!answer.subscriptions.length) return html`<${Empty} title=${t("noSubscriptions")} />`;
  return html`<ul class="plain pushes">
    ${answer.subscriptions.map((each) => html`<${Subscription} key=${each.subscriptionId} api=${api} tick=${tick} told=${each} />`)}
  </ul>`;
}

function Subscription({ api, tick, told }) {
  const [open, setOpen] = useState(false);
  return html`<li>
    <div class="headline">
      <h2>${t(told.subscriptionType)}</h2>
      <${Status} status=${told.status} />
      <span class="dim">${t("until", { time: moment(told.expiresAt) })}</span>
    </div>
    <p class="url">${told.webhookUrl ?? told.subscriptionId}</p>
    <p class="dim">${told.eventsSubscribed.join(", ")}</p>
    <details open=${open} onToggle=${(event) => setOpen(event.currentTarget.open)}>
      <summary>${t("deliveries")}</summary>
      ${open && html`<${Deliveries} api=${api} tick=${tick} id=${told.subscriptionId} />`}
    </details>
  </li>`;
}

function Deliveries({ api, tick, id }) {
  const [asked, setAsked] = useState(0);
  const [said, setSaid] = useState(null);
  const { answer, refused } = useAnswer(api, path`/subscription/${id}/deliveries`, `${tick} ${asked}`);
  const retry = async (message) => {
    try {
      await api.ask("POST", path`/subscription/${id}/deliveries/${message}/retry`);
      setSaid(t("retried"));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setSaid(t("refused", { detail: error.message }));
    }
    setAsked(asked + 1);
  };
  if (refused) return html`<${Problem} refused=${refused} />`;
  if (!answer) return null;
  if (!answer.deliveries.length) return html`<p class="dim">${t("noDeliveries")}</p>`;
  return html`<p role="status">${said}</p>
    <div class="scroll"><table>
      <thead>
        <tr>
          <th scope="col">#</th>
          <th scope="col">${t("message")}</th>
          <th scope="col">${t("status")}</th>
          <th scope="col">${t("attempts")}</th>
          <th scope="col">${t("last")}</th>
          <th scope="col"><span class="hidden">${t("retry")}</span></th>
        </tr>
      </thead>
      <tbody>
        ${answer.deliveries.map(
          (each) => html`<tr key=${each.messageId}>
            <td>${each.sequence ?? "–"}</td>
            <td title=${each.messageId}>${each.type}</td>
            <td><${Status} status=${each.status} /></td>
            <td>${each.attempts.length}</td>
            <td>${last(each.attempts.at(-1))}</td>
            <td><button class="small" onClick=${() => retry(each.messageId)}>${t("retry")}</button></td>
          </tr>`,
        )}
      </tbody>
    </table></div>`;
}

function last(attempt) {
  return attempt ? `${moment(attempt.time, true)} ${attempt.error ?? attempt.statusCode} (${attempt.milliseconds} ms)` : "–";
}
