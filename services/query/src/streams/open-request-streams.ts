/*
 * Live tails and exports within the bounds of the settings. Exports have connections of their own to the store, because they
 * hold them for minutes.
 */
import type { Logger } from '@imscope/runtime/logger.js';
import { createStoreClient, type StoreSettings } from '@imscope/runtime/store-client.js';
import type { Registry } from 'prom-client';
import type { AskWithin } from '../store/ask-store.js';
import type { RefusalMetrics } from '../store/refusal-metrics.js';
import { createBlockFeed } from './block-feed.js';
import { createCallerSlots } from './caller-slots.js';
import { createExports, type SendExport } from './exports.js';
import { addStreamMetrics } from './stream-metrics.js';
import { createTails, type Tails } from './tails.js';

export type RequestStreamSettings = StoreSettings & {
  readonly exportsMax: number;
  readonly exportRowsMax: number;
  readonly exportMsMax: number;
  readonly tailsMax: number;
  readonly answerSendMsMax: number;
  readonly queryMemoryBytesMax: number;
};

export type RequestStreams = {
  readonly tails: Tails;
  readonly sendExport: SendExport;
  close(): Promise<void>;
};

type Needs = {
  readonly ask: AskWithin;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly now: () => number;
  readonly metrics: RefusalMetrics & {
    readonly tailDropped: { inc(labels: { readonly reason: 'rate' | 'reader' }, requests: number): void };
  };
};

/** Between two polls of the ledger while there is a tail. */
const POLL_MS = 1_000;

export function openRequestStreams(
  config: RequestStreamSettings,
  { ask, logger, metrics, registry, now }: Needs,
): RequestStreams {
  const client = createStoreClient(
    { ...config, storeConnectionsMax: config.exportsMax },
    'imscope-query-export',
    config.exportMsMax,
  );
  const refused = (): void => metrics.refused.inc({ reason: 'too_many_streams' });
  const tailSlots = createCallerSlots(config.tailsMax, 'tails', refused);
  const exportSlots = createCallerSlots(config.exportsMax, 'exports', refused);
  addStreamMetrics(registry, { tailsOpen: tailSlots.open, exportsOpen: exportSlots.open });
  return {
    tails: createTails({
      feed: createBlockFeed(ask, POLL_MS),
      within: ask.within,
      slots: tailSlots,
      onDropped: (reason, requests) => metrics.tailDropped.inc({ reason }, requests),
      now,
    }),
    sendExport: createExports({
      client,
      slots: exportSlots,
      metrics,
      logger,
      rowsMax: config.exportRowsMax,
      timeoutMs: config.exportMsMax,
      memoryBytesMax: config.queryMemoryBytesMax,
      stallMsMax: config.answerSendMsMax,
    }),
    close: () => client.close(),
  };
}
