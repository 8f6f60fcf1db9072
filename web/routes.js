// The paths of the API that the page uses, with the types of their responses.

import { path } from "./api.js";

/**
 * The newest jobs of the project.
 * @param {{status?: string, limit: number, cursor?: string | null}} query
 * @returns {Path<Schema<"Batch">>}
 */
export function jobsPath({ status, limit, cursor }) {
  const query = new URLSearchParams({ limit: String(limit), ...(cursor && { cursor }), ...(status && { status }) });
  return path`/tracking/batch?${query}`;
}

/**
 * @param {string} job
 * @returns {Path<Schema<"Job">>}
 */
export function jobPath(job) {
  return path`/job/${job}`;
}

/**
 * @param {string} job
 * @returns {Path<Schema<"Progress">>}
 */
export function progressPath(job) {
  return path`/job/${job}/progress`;
}

/**
 * @param {string} job
 * @returns {Path<Schema<"Timeline">>}
 */
export function timelinePath(job) {
  return path`/job/${job}/timeline?granularity=major_events&includeSubEvents=true`;
}

/**
 * @param {string} job
 * @returns {Path<Schema<"Metrics">>}
 */
export function metricsPath(job) {
  return path`/job/${job}/metrics?interval=1m&includeHistory=true`;
}

/**
 * @param {string} job
 * @returns {Path<Schema<"Dependencies">>}
 */
export function dependenciesPath(job) {
  return path`/job/${job}/dependencies?depth=10`;
}

/**
 * The log lines of at least a level: the newest, those before a cursor, or those after a sequence.
 * @param {string} job
 * @param {{level: string, limit: number, cursor?: string, sinceSequence?: number}} query
 * @returns {Path<Schema<"Logs">>}
 */
export function logsPath(job, { level, limit, cursor, sinceSequence }) {
  const query = new URLSearchParams({ limit: String(limit), level });
  if (cursor !== undefined) query.set("cursor", cursor);
  if (sinceSequence !== undefined) query.set("sinceSequence", String(sinceSequence));
  return path`/job/${job}/logs?${query}`;
}

/**
 * @param {string} job
 * @returns {Path<Schema<"Subscriptions">>}
 */
export function subscriptionsPath(job) {
  return path`/job/${job}/subscriptions`;
}

/**
 * @param {string} job
 * @returns {Path<Schema<"NewSubscription">>}
 */
export function subscribePath(job) {
  return path`/job/${job}/subscribe`;
}

/**
 * @param {string} subscription
 * @returns {Path<unknown>}
 */
export function subscriptionPath(subscription) {
  return path`/subscription/${subscription}`;
}

/**
 * @param {string} subscription
 * @returns {Path<Schema<"NewTicket">>}
 */
export function ticketPath(subscription) {
  return path`/subscription/${subscription}/ticket`;
}

/**
 * @param {string} subscription
 * @returns {Path<Schema<"Subscription">>}
 */
export function renewPath(subscription) {
  return path`/subscription/${subscription}/renew`;
}

/**
 * @param {string} subscription
 * @returns {Path<Schema<"Deliveries">>}
 */
export function deliveriesPath(subscription) {
  return path`/subscription/${subscription}/deliveries`;
}

/**
 * @param {string} subscription
 * @param {string} message
 * @returns {Path<unknown>}
 */
export function retryPath(subscription, message) {
  return path`/subscription/${subscription}/deliveries/${message}/retry`;
}
