/* What questions about many applications share: the memory of their sums, and the targets of applications. */
import type { LookUpApplication } from '@imscope/access/application-settings.js';
import { createSharedMemory, type SharedMemory } from '../store/shared-memory.js';
import { createThresholdsOf, type ThresholdsOf } from './application-thresholds.js';

export type FleetServices = {
  readonly memory: SharedMemory;
  readonly thresholdsOf: ThresholdsOf;
};

/** Sums of 5,000 applications over some fifty spans, or ten thousand rows of pages. */
const MEMORY_BYTES = 64 << 20;
/** Sums of rate and delay are kept no longer than minutes. */
const KEPT_MS = 2 * 60_000;

export function createFleetServices(settingsOf: LookUpApplication): FleetServices {
  return { memory: createSharedMemory(MEMORY_BYTES, KEPT_MS), thresholdsOf: createThresholdsOf(settingsOf) };
}
