/* What a collector is started with: its settings, and where it reports. */
import type { Logger } from '@imscope/runtime/logger.js';
import type { Readiness } from '@imscope/runtime/readiness.js';
import type { Registry } from 'prom-client';
import type { CollectorConfig } from './config.js';

export type CollectorContext = {
  readonly config: CollectorConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly readiness: Readiness;
  /** Ends the process; its supervisor starts it again. */
  readonly fail: (error: Error) => void;
};
