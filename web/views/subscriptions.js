// A job's subscriptions, and the delivery of each message.

import { Refused } from "../api.js";
import { moment } from "../format.js";
import { Empty, Problem, Status, useResponse } from "../parts.js";
import { deliveriesPath, retryPath, subscriptionsPath } from "../routes.js";
import { t } from "../strings.js";
import { html, useState } from "../vendor/preact.js";

/** @import { Api } from "../api.js" */

/** @param {{api: Api, jobId: string, tick: number}} props */
export function Subscriptions({ api, jobId, tick }) {
  const { body, refused } = useResponse(api, subscriptionsPath(jobId), tick);
  if (refused) return html`<${Problem} refused=${refused} />`;
  if (!body) return null;
  if (!body.subscriptions.length) return html`<${Empty} title=${t("noSubscriptions")} />`;
  return html`<ul class="plain subscriptions">
    ${body.subscriptions.map((subscription) => html`<${Subscription} key=${subscription.subscriptionId} api=${api} tick=${tick} subscription=${subscription} />`)}
  </ul>`;
}

/** @param {{api: Api, tick: number, subscription: Schema<"Subscription">}} props */
function Subscription({ api, tick, subscription }) {
  const [open, setOpen] = useState(false);
  return html`<li>
    <div class="headline">
      <h2>${t(subscription.subscriptionType)}</h2>
      <${Status} status=${subscription.status} />
      <span class="dim">${t("until", { time: moment(subscription.expiresAt) })}</span>
    </div>
    <p class="url">${subscription.webhookUrl ?? subscription.subscriptionId}</p>
    <p class="dim">${subscription.eventsSubscribed.join(", ")}</p>
    <details open=${open} onToggle=${/** @param {{currentTarget: HTMLDetailsElement}} event */ (event) => setOpen(event.currentTarget.open)}>
      <summary>${t("deliveries")}</summary>
      ${open && html`<${Deliveries} api=${api} tick=${tick} id=${subscription.subscriptionId} />`}
    </details>
  </li>`;
}

/** @param {{api: Api, tick: number, id: string}} props */
function Deliveries({ api, tick, id }) {
  const [retries, setRetries] = useState(0);
  const [notice, setNotice] = useState(/** @type {string | null} */ (null));
  const { body, refused } = useResponse(api, deliveriesPath(id), `${tick} ${retries}`);
  /** @param {string} message */
  const retry = async (message) => {
    try {
      await api.post(retryPath(id, message));
      setNotice(t("retried"));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setNotice(t("refused", { detail: error.message }));
    }
    setRetries(retries + 1);
  };
  if (refused) return html`<${Problem} refused=${refused} />`;
  if (!body) return null;
  if (!body.deliveries.length) return html`<p class="dim">${t("noDeliveries")}</p>`;
  return html`<p role="status">${notice}</p>
    <div class="scroll"><table>
      <thead>
        <tr>
          <th scope="col">#</th>
          <th scope="col">${t("message")}</th>
          <th scope="col">${t("status")}</th>
          <th scope="col">${t("attempts")}</th>
          <th scope="col">${t("lastResponse")}</th>
          <th scope="col"><span class="hidden">${t("retry")}</span></th>
        </tr>
      </thead>
      <tbody>
        ${body.deliveries.map(
          ({ messageId, sequence, type, status, attempts }) => html`<tr key=${messageId}>
            <td>${sequence ?? "–"}</td>
            <td title=${messageId}>${type}</td>
            <td><${Status} status=${status} /></td>
            <td>${attempts.length}</td>
            <td>${describeAttempt(attempts.at(-1))}</td>
            <td><button class="small" onClick=${() => retry(messageId)}>${t("retry")}</button></td>
          </tr>`,
        )}
      </tbody>
    </table></div>`;
}

/** @param {Schema<"Attempt"> | undefined} attempt */
function describeAttempt(attempt) {
  if (!attempt) return "–";
  return `${moment(attempt.time, true)} ${attempt.error ?? attempt.statusCode} (${attempt.milliseconds} ms)`;
}
