/*
 * Unsaved changes of an application: only the fields that were edited are kept, so that a state somebody else saved can
 * take the place of the one below them. Pure.
 */
import type { ApplicationState, Difference } from '@imscope/schemas/registry-api/application.js';
import { TRTC_SUBSCRIPTION } from '@imscope/schemas/registry-api/details.js';
import { differencesOf, patchOf } from '@imscope/schemas/registry-api/differences.js';
import { registryTexts } from '../../words/registry-texts.js';
import { type Input, inputOf, type Parsed, parseInput } from './field-input.js';
import { type FieldPath, FIELDS, schemaOf } from './field-schema.js';

/** What was typed, by field. */
export type Edits = ReadonlyMap<FieldPath, Input>;

export const NO_EDITS: Edits = new Map();

export type FieldState = {
  readonly input: Input;
  readonly parsed: Parsed;
  /** The value differs from the saved one, or is none. */
  readonly isChanged: boolean;
};

export type Draft = {
  readonly fields: ReadonlyMap<FieldPath, FieldState>;
  readonly changed: readonly FieldPath[];
  /** Of a field, by its own value or together with others; first in the order of the page. */
  readonly faults: ReadonlyMap<FieldPath, string>;
  /** Of what is saved to what would be. */
  readonly differences: readonly Difference[];
  /** The JSON merge patch. */
  readonly patch: object;
};

export function draftOf(saved: ApplicationState, edits: Edits): Draft {
  const fields = new Map(FIELDS.map((path) => [path, fieldStateOf(saved, edits, path)] as const));
  const changed = FIELDS.filter((path) => fields.get(path)?.isChanged === true);
  const next = changed.reduce<unknown>((state, path) => {
    const parsed = fields.get(path)?.parsed;
    return parsed?.ok === true ? withValue(state, path.split('.'), parsed.value) : state;
  }, saved);
  const own = [...fields].flatMap(([path, { parsed }]) => (parsed.ok ? [] : [[path, parsed.fault] as const]));
  const patch = patchOf(saved, next);
  return {
    fields,
    changed,
    faults: new Map([...faultsOfState(next), ...own]),
    differences: differencesOf(saved, next),
    patch: typeof patch === 'object' && patch !== null ? patch : {},
  };
}

/** An edit that gives a field its saved input again is none. */
export function withEdit(edits: Edits, saved: ApplicationState, path: FieldPath, input: Input | null): Edits {
  const next = new Map(edits);
  const before = inputOf(valueAt(saved, path), schemaOf(path));
  if (input === null || JSON.stringify(input) === JSON.stringify(before)) next.delete(path);
  else next.set(path, input);
  return next;
}

/** The fields that both sides changed. */
export function conflictsOf(theirs: readonly Difference[], changed: readonly FieldPath[]): Set<FieldPath> {
  return new Set(
    changed.filter((path) => {
      const pointer = `/${path.replaceAll('.', '/')}`;
      return theirs.some((one) => one.path === pointer || one.path.startsWith(`${pointer}/`));
    }),
  );
}

/** `/configuration/custom_fields/user/0/name` → the field it is in; undefined where the form has none. */
export function fieldOf(pointer: string): FieldPath | undefined {
  const path = pointer.slice(1).replaceAll('/', '.');
  return FIELDS.find((field) => path === field || path.startsWith(`${field}.`));
}

function fieldStateOf(saved: ApplicationState, edits: Edits, path: FieldPath): FieldState {
  const schema = schemaOf(path);
  const before = valueAt(saved, path);
  const edit = edits.get(path);
  const input = edit ?? inputOf(before, schema);
  // What is saved is shown as it is, also where it was saved before a bound changed.
  if (edit === undefined) return { input, parsed: { ok: true, value: before }, isChanged: false };
  const parsed = parseInput(input, schema);
  return { input, parsed, isChanged: !parsed.ok || differencesOf(before, parsed.value).length > 0 };
}

/** What the registry checks beyond single fields. */
function faultsOfState(state: unknown): [FieldPath, string][] {
  const at = (path: FieldPath): unknown => valueAt(state, path);
  const words = registryTexts.fault;
  const faults: [FieldPath, string][] = [];
  const quota = at('settings.quota_per_second');
  const limit = at('settings.limit_per_second');
  if (typeof quota === 'number' && typeof limit === 'number' && limit < quota)
    faults.push(['settings.limit_per_second', words.limitBelowQuota]);
  if (at('configuration.callback.enabled') === true && at('configuration.callback.url') === null)
    faults.push(['configuration.callback.url', words.callbackWithoutUrl]);
  const subscriptions = at('details.subscriptions');
  const isSubscribed = Array.isArray(subscriptions) && subscriptions.includes(TRTC_SUBSCRIPTION);
  if (at('configuration.share_with_trtc') === true && !isSubscribed)
    faults.push(['configuration.share_with_trtc', words.sharingWithoutSubscription]);
  return faults;
}

function valueAt(state: unknown, path: FieldPath): unknown {
  return path.split('.').reduce<unknown>((value, step) => memberOf(value, step), state);
}

function withValue(state: unknown, [step = '', ...rest]: readonly string[], value: unknown): unknown {
  const members = new Map(typeof state === 'object' && state !== null ? Object.entries(state) : []);
  members.set(step, rest.length === 0 ? value : withValue(members.get(step), rest, value));
  return Object.fromEntries(members);
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
