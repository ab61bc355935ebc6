/* The facts of a running collector, for its accounts. */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { CollectorFacts } from './accounting/collector-facts.js';
import { type CollectorConfig, COLLECTOR_SETTINGS } from './config.js';
import type { SpoolSpace } from './spool/spool-space.js';

/** 48 bits: collectors of a deployment have few different settings. */
const HASH_DIGITS = 12;

/** @returns the facts as of the call; all but those of the spool are fixed at the start */
export function createFacts(
  config: CollectorConfig,
  space: Pick<SpoolSpace, 'bytes' | 'batches'>,
): () => CollectorFacts {
  const fixed = {
    host: hostname(),
    region: config.region,
    settings_hash: hashSettings(config),
    account_interval_ms: config.accountIntervalMs,
    spool_bytes_max: config.spoolBytesMax,
  };
  return () => ({ ...fixed, spool_bytes: space.bytes, waiting_batches: space.batches });
}

/**
 * Equal for collectors with equal settings. Secrets are left out, so that a hash gives no hint of them, and so is the
 * name, which every collector has of its own.
 */
export function hashSettings(config: CollectorConfig): string {
  const hashed = Object.entries(COLLECTOR_SETTINGS)
    .filter(([name, { secret }]) => !secret && name !== 'collectorName')
    .map(([name]) => [name, config[name as keyof CollectorConfig]])
    .toSorted(([a], [b]) => String(a).localeCompare(String(b), 'en'));
  return createHash('sha256').update(JSON.stringify(hashed)).digest('hex').slice(0, HASH_DIGITS);
}
