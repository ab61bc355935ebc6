/*
 * `path=value` arguments, such as `configuration.recent_contacts_max=200`: the state that they make of another. Pure. The
 * registry checks the result; here only what would be lost on the way is refused.
 */
import type { ApplicationState } from '@imscope/schemas/registry-api/application.js';
import { UsageError } from '../command/usage-error.js';

type JsonObject = { readonly [name: string]: unknown };

/** @throws UsageError where a pair has no path, or its path leads into a text or a number */
export function withPairs(state: JsonObject, pairs: readonly string[]): JsonObject {
  let changed = state;
  for (const pair of pairs) {
    const [, path = '', text = ''] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if (path === '') {
      throw new UsageError(`"${pair}" is no path=value: give one such as settings.quota_per_second=500`);
    }
    const steps = path.split('.');
    changed = setAt(changed, steps, parsedLike(valueAt(changed, steps), text), pair);
  }
  return changed;
}

/** The parts of a state that a file may hold, as JSON. @throws UsageError */
export function partsOfFile(parsed: unknown, file: string): Partial<ApplicationState> & JsonObject {
  const names = ['details', 'settings', 'configuration'];
  if (!isObject(parsed) || Object.keys(parsed).some((name) => !names.includes(name))) {
    throw new UsageError(`${file} is no JSON object of ${names.join(', ')}`);
  }
  return parsed;
}

/** Where there is text, text stays text: a name may be 42. Everything else is JSON, or text where it is none. */
function parsedLike(current: unknown, text: string): unknown {
  if (typeof current === 'string') return text === 'null' ? null : unquoted(text);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function unquoted(text: string): string {
  if (!/^".*"$/s.test(text)) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

function valueAt(value: unknown, steps: readonly string[]): unknown {
  return steps.reduce<unknown>(
    (at, step) => (isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined),
    value,
  );
}

function setAt(
  target: JsonObject,
  [step = '', ...rest]: readonly string[],
  value: unknown,
  pair: string,
): JsonObject {
  const current = Object.hasOwn(target, step) ? target[step] : undefined;
  if (rest.length === 0) return withMember(target, step, value);
  if (current !== undefined && !isObject(current)) {
    throw new UsageError(
      `"${pair}" leads into ${Array.isArray(current) ? 'a list' : 'a value'}: set ${step} itself, a list as JSON`,
    );
  }
  return withMember(target, step, setAt(current ?? {}, rest, value, pair));
}

/** null removes a member: it goes back to its default. */
function withMember(target: JsonObject, name: string, value: unknown): JsonObject {
  const members = new Map(Object.entries(target));
  members.set(name, value);
  return Object.fromEntries(members);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
