/*
 * JSON merge patch (RFC 7396): null removes a member, objects merge, everything else replaces. Built from entries, so that
 * a member named `__proto__` is one like any other.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';

/** A state has 5 levels; deeper input is refused before anything walks it. */
const DEPTH_MAX = 16;

export type JsonObject = { readonly [name: string]: unknown };

/** Pure. @throws HttpError invalid_parameter where the patch is deeper than any state */
export function mergePatch(target: unknown, patch: unknown, depth = 0): unknown {
  if (depth > DEPTH_MAX) {
    throw new HttpError(
      'invalid_parameter',
      `the body is nested deeper than ${DEPTH_MAX} levels: a state has no such part, leave it out`,
    );
  }
  if (!isObject(patch)) {
    requireShallow(patch, depth);
    return patch;
  }
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value, depth + 1));
  }
  return Object.fromEntries(merged);
}

/** Members that are missing take their defaults: so a removed member goes back to its default. Pure. */
export function withDefaults(value: unknown, defaults: unknown): unknown {
  if (value === undefined) return defaults;
  if (!isObject(value) || !isObject(defaults)) return value;
  const filled = new Map(Object.entries(value));
  for (const [name, fallback] of Object.entries(defaults)) {
    filled.set(name, withDefaults(filled.get(name), fallback));
  }
  return Object.fromEntries(filled);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Lists are replaced, not merged, but walked later. */
function requireShallow(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  for (const one of Object.values(value)) mergePatch(undefined, one, depth + 1);
}
