/*
 * The filter by provider: a provider may be filtered by where the network question would show it. docs/network.md says what
 * this protects.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { Type } from 'typebox';
import { type Ask, defineStoreQuery } from '../store/ask-store.js';
import { columnOf } from './dimensions.js';
import { type Filter, filterWithout } from './filter.js';
import type { Minimum } from './minimum.js';
import { markShownSql } from './shown-groups.js';

const PROVIDERS = defineStoreQuery(
  'filtered_providers',
  Type.Object({ asked: Type.Number(), shown: Type.Number() }),
);
const APPLICATIONS = defineStoreQuery('filtered_applications', Type.Object({ key_0: Type.Number() }));

/**
 * Throws `HttpError` provider_too_small where the filter names a provider that is not shown over this window with the other
 * filters: one without a request is not distinguished from one with too few.
 */
export async function requireShownProviders(
  ask: Ask,
  filter: Filter,
  minimum: Minimum,
  signal: AbortSignal,
): Promise<void> {
  const providers = sizedSql(columnOf('isp').logs, filterWithout(filter, 'isp'), minimum);
  const sql = `
SELECT
  length(arrayDistinct({isp:Array(String)})) AS asked,
  countIf(is_shown AND has({isp:Array(String)}, key_0)) AS shown
FROM (${markShownSql(providers, ['key_0'], minimum, true)})`;
  const [found] = await ask(PROVIDERS, sql, filter.params, signal);
  if (found === undefined || found.shown >= found.asked) return;
  throw new HttpError(
    'provider_too_small',
    `isp names ${found.asked} providers, and ${found.asked - found.shown} of them have fewer than ${minimum.requests} logged ` +
      `requests from ${minimum.addresses} addresses here, or would leave so few if they were shown: give a longer window or ` +
      'fewer filters, or ask network by=isp, which sums all providers that are too small',
  );
}

/** The applications that may be listed with their requests of the providers in the filter. */
export async function askShownApplications(
  ask: Ask,
  filter: Filter,
  minimum: Minimum,
  signal: AbortSignal,
): Promise<ReadonlySet<number>> {
  const applications = sizedSql('sdk_app_id', filter, minimum);
  const sql = `SELECT key_0 FROM (${markShownSql(applications, ['key_0'], minimum, false)}) WHERE is_shown`;
  const rows = await ask(APPLICATIONS, sql, filter.params, signal);
  return new Set(rows.map((row) => row.key_0));
}

function sizedSql(key: string, filter: Filter, { addresses }: Minimum): string {
  return `
  SELECT ${key} AS key_0, count() AS logged, uniqUpTo(${addresses})(exit_ip) AS addresses
  FROM request_log_kept
  WHERE ${filter.sql}
  GROUP BY key_0`;
}
