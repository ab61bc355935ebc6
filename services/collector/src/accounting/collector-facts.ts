/* What a collector says of itself in its accounts: where it runs, with which settings, and what waits in its spool. */
import type { EdgeAccount } from '@imscope/schemas/edge-account.js';

export type CollectorFacts = Pick<
  EdgeAccount,
  | 'host'
  | 'region'
  | 'settings_hash'
  | 'account_interval_ms'
  | 'spool_bytes'
  | 'spool_bytes_max'
  | 'waiting_batches'
>;
