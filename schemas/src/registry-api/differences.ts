/*
 * What differs between two states, as JSON pointers (RFC 6901), and the JSON merge patch (RFC 7396) that makes one of the
 * other. Lists of objects are compared place by place; lists of
 * plain values as one value.
 */
import type { Difference } from './application.js';

/** Pure. In the order of the members, those of `before` first. Both are JSON values of bounded depth. */
export function differencesOf(before: unknown, after: unknown, path = ''): Difference[] {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) =>
      differencesOf(memberOf(before, name), memberOf(after, name), `${path}/${escaped(name)}`),
    );
  }
  if (isListOfObjects(before) && isListOfObjects(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) =>
      differencesOf(before[index], after[index], `${path}/${index}`),
    ).flat();
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
}

/** One step of a JSON pointer. */
export function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function memberOf(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}

function isListOfObjects(value: unknown): value is readonly object[] {
  return Array.isArray(value) && value.length > 0 && value.every(isObject);
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The merge patch that makes `after` of `before`; undefined where they are the same. Lists are replaced as a whole. Pure. */
export function patchOf(before: unknown, after: unknown): unknown {
  if (!isObject(before) || !isObject(after)) {
    return JSON.stringify(before) === JSON.stringify(after) ? undefined : after;
  }
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changed = names.flatMap((name): [string, unknown][] => {
    if (!Object.hasOwn(after, name)) return [[name, null]];
    const patch = patchOf(memberOf(before, name), memberOf(after, name));
    return patch === undefined ? [] : [[name, patch]];
  });
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}
