/*
 * The group of a failure: its exception, its code and its cause without what varies. The id is a hash of these three, so
 * that it is the same for every application and never changes with what comes later.
 */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { normaliseShape } from './normalise-shape.js';

export type FailureKey = { readonly exception: string; readonly code: number | null; readonly shape: string };
export type FailureGroup = { readonly id: string; readonly cause: string };

const ID_LENGTH = 16;

export function groupId(exception: string, code: number | null, cause: string): string {
  const key = JSON.stringify([exception, code, cause]);
  return createHash('sha256').update(key).digest('hex').slice(0, ID_LENGTH);
}

/** Normalised texts by shape: normalising takes about 50 µs. At the bound the one used longest ago is dropped. */
const texts = new LRUCache<string, string>({
  maxSize: 4 << 20,
  sizeCalculation: (cause, shape) => shape.length + cause.length + 1,
});

export function groupOf({ exception, code, shape }: FailureKey): FailureGroup {
  const known = texts.get(shape);
  const cause = known ?? normaliseShape(shape);
  if (known === undefined) texts.set(shape, cause);
  return { id: groupId(exception, code, cause), cause };
}
