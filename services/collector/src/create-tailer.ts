/* The composition of the tailer. */
import assert from 'node:assert/strict';
import { HOUR_MS } from '@imscope/schemas/retention.js';
import type { Registry } from 'prom-client';
import type { CollectorConfig } from './config.js';
import type { CollectorContext } from './collector-context.js';
import type { InterfaceCardinalityLimit } from './intake/interface-cardinality-limit.js';
import type { Limits } from './limits/limits.js';
import type { Pipeline } from './pipeline.js';
import type { AcceptOptions } from './requests/accept-request.js';
import type { Checkpoint } from './tail/checkpoint.js';
import { FollowedFiles } from './tail/followed-files.js';
import { OWN_PROCESSOR, ProcessorShare } from './tail/processor-share.js';
import { TailDelivery } from './tail/tail-delivery.js';
import { createTailMetrics } from './tail/tail-metrics.js';
import { createTailReader } from './tail/tail-settings.js';
import { Tailer, type TailerOptions } from './tail/tailer.js';

export type TailerParts = {
  readonly pipeline: Pipeline;
  readonly checkpoint: Checkpoint;
  readonly limits: Pick<Limits, 'applications' | 'sampledOut'>;
  readonly interfaces: InterfaceCardinalityLimit;
  /** Why nothing can be accepted at the moment; undefined while it can. */
  readonly failure: () => string | undefined;
  /** Shows the records to live viewers; undefined while there are none. */
  readonly watch: AcceptOptions['watch'];
  readonly refusals: TailerOptions['refusals'];
};

/** @returns undefined where no files are configured; it reads nothing until `start` is called */
export function createTailer(context: CollectorContext, parts: TailerParts): Tailer | undefined {
  const { config, logger, registry } = context;
  if (config.tailFiles.length === 0) return undefined;
  const { pipeline, checkpoint, limits, interfaces, failure, watch, refusals } = parts;
  const { incarnation, availability, budget, metrics, keyedRequests } = pipeline;
  const { readLine, unknown } = createTailReader(config);
  for (const text of unknown) logger.warn(text);
  const { tailMetrics, files } = followFiles(config, registry, checkpoint, logger);
  // A position belongs to one batch: with several lanes, lines read together would be in several batches.
  const [lane, ...others] = keyedRequests.lanes.lanes;
  assert(lane !== undefined && others.length === 0, 'files are tailed into one lane');
  return new Tailer({
    files,
    checkpoint,
    delivery: new TailDelivery({ incarnation, availability }),
    batches: {
      ...keyedRequests,
      lane,
      readLine,
      lateMsMax: config.lateHoursMax * HOUR_MS,
      applications: limits.applications,
      watch,
      cap: (record, nowMs) => interfaces.apply(record, nowMs),
    },
    budget,
    processor: new ProcessorShare(coresOf(config), OWN_PROCESSOR),
    failure,
    release: (segment) => incarnation.log.release(segment),
    onSampledOut: limits.sampledOut,
    refusals,
    finishMs: config.tailFinishMs,
    metrics,
    tailMetrics,
    logger,
    fail: context.fail,
  });
}

function coresOf({ tailProcessorPercentMax: percent }: CollectorConfig): number {
  return percent === 0 ? Number.POSITIVE_INFINITY : percent / 100;
}

function followFiles(
  config: CollectorConfig,
  registry: Registry,
  checkpoint: Checkpoint,
  logger: CollectorContext['logger'],
) {
  const tailMetrics = createTailMetrics(registry, () => files.list);
  const files: FollowedFiles = new FollowedFiles({
    patterns: config.tailFiles,
    checkpoint,
    metrics: tailMetrics,
    logger,
  });
  return { tailMetrics, files };
}
