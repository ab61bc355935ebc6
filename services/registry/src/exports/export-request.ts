/* What is exported, out of a request that may name too little, too much, or what the caller may not read. */
import { requireApplication, type Grant } from '@imscope/access/grant.js';
import { HttpError } from '@imscope/runtime/http-errors.js';
import type { ExportRequest } from '@imscope/schemas/registry-api/records.js';
import { HOUR_MS, TERM_HOURS, termText } from '@imscope/schemas/retention.js';
import { type LogWindow, REQUEST_LOG_TERM_MS } from './request-log-lines.js';

export type ExportPlan =
  | { readonly kind: 'applications'; readonly sdkAppId: number | null; readonly among: Grant['applications'] }
  | ({ readonly kind: 'request_logs' } & LogWindow);

/** Rows that end before are left out of the window: an export is of use for a while, and one that was cut off is swept in time. */
const LIFE_MIN_MS = 2 * HOUR_MS;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;

/** Throws HttpError invalid_parameter, not_allowed. */
export function planExport(body: ExportRequest, caller: Grant, nowMs: number): ExportPlan {
  const { kind, sdk_app_id: sdkAppId } = body;
  if (sdkAppId !== undefined) requireApplication(caller, sdkAppId);
  if (kind === 'applications') {
    if (body.from !== undefined || body.to !== undefined)
      throw invalid('from and to are of request_logs: applications are exported as they are; leave them out');
    const among = sdkAppId === undefined ? caller.applications : new Set([sdkAppId]);
    return { kind, sdkAppId: sdkAppId ?? null, among };
  }
  if (sdkAppId === undefined || body.from === undefined || body.to === undefined)
    throw invalid('request_logs need sdk_app_id, from and to: give all three');
  const asked = { fromMs: readTime('from', body.from), toMs: readTime('to', body.to) };
  if (asked.fromMs >= asked.toMs)
    throw invalid(`from ${body.from} is not before to ${body.to}: give an earlier from or a later to`);
  const firstMs = nowMs - REQUEST_LOG_TERM_MS + LIFE_MIN_MS;
  if (asked.toMs <= firstMs) {
    throw invalid(
      `to ${body.to} is too far back: logs are kept ${termText(TERM_HOURS.requestLog)}, and an export needs two hours of that; give a to after ${new Date(firstMs).toISOString()}`,
    );
  }
  return { kind, sdkAppId, fromMs: Math.max(asked.fromMs, firstMs), toMs: asked.toMs };
}

function readTime(name: string, text: string): number {
  const ms = RFC_3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw invalid(
      `${name} is ${JSON.stringify(text.slice(0, 64))}: give RFC 3339, such as 2026-11-29T08:00:00Z`,
    );
  return ms;
}

function invalid(message: string): HttpError {
  return new HttpError('invalid_parameter', message);
}
