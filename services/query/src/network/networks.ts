/*
 * What questions about networks need beside the store: the least of a row, and the ids of prefixes.
 */
import type { Minimum } from './minimum.js';
import type { NetworkIds } from './network-ids.js';

export type Networks = { readonly minimum: Minimum; readonly ids: NetworkIds };
