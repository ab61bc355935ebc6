/* Whether a change has reached every sink, as their positions in the database say. */
import { readPosition } from '../rows/distribution-rows.js';
import type { Reader } from '../rows/application-rows.js';

/** @returns why a revision has not reached every sink; undefined where it has */
export async function findUndistributed(
  db: Reader,
  sinks: readonly string[],
  revision: number,
): Promise<string | undefined> {
  for (const sink of sinks) {
    const position = await readPosition(db, sink);
    if ((position?.revision ?? 0) < revision) {
      return `sink "${sink}" is at revision ${position?.revision ?? 0}, the change has ${revision}: its publication is awaited`;
    }
  }
  return undefined;
}
