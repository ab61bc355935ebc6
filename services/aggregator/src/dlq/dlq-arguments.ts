/* The arguments of the dlq commands, checked. Pure. */
import { parseArgs } from 'node:util';
import type { LetterFilter } from './choose-letters.js';
import { type LetterPlace, parsePlace } from './dead-letter-entry.js';

export type ListOptions = {
  readonly kind: 'ls';
  readonly filter: LetterFilter;
  readonly limit: number;
  readonly json: boolean;
};

export type ShowOptions = {
  readonly kind: 'show';
  readonly place: LetterPlace;
  readonly bytesFile: string | undefined;
};

export type RedriveArguments = {
  readonly kind: 'redrive';
  readonly places: readonly LetterPlace[] | 'all';
  readonly filter: LetterFilter;
  readonly mend: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
};

export type ParsedDlq =
  | { readonly ok: true; readonly command: ListOptions | ShowOptions | RedriveArguments }
  | { readonly ok: false; readonly error: string };

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 10_000;
const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

class WrongArgument extends Error {}

export function parseDlqArguments([name, ...rest]: readonly string[], nowMs: number): ParsedDlq {
  try {
    if (name === 'dlq-ls') return { ok: true, command: parseList(rest, nowMs) };
    if (name === 'dlq-show') return { ok: true, command: parseShow(rest) };
    if (name === 'dlq-redrive') return { ok: true, command: parseRedrive(rest, nowMs) };
    return { ok: false, error: 'is none of dlq-ls, dlq-show, dlq-redrive' };
  } catch (error) {
    // parseArgs throws TypeErrors that say what is wrong.
    if (error instanceof WrongArgument || error instanceof TypeError) {
      return { ok: false, error: error.message };
    }
    throw error;
  }
}

const FILTERS = {
  reason: { type: 'string' },
  topic: { type: 'string' },
  since: { type: 'string' },
} as const;

function parseList(args: readonly string[], nowMs: number): ListOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { ...FILTERS, limit: { type: 'string' }, json: { type: 'boolean' } },
  });
  const limit = values.limit === undefined ? LIMIT_DEFAULT : Number(values.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
    throw new WrongArgument(`--limit is "${values.limit}": give a whole number from 1 to ${LIMIT_MAX}`);
  }
  return { kind: 'ls', filter: filterOf(values, nowMs), limit, json: values.json === true };
}

function parseShow(args: readonly string[]): ShowOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { bytes: { type: 'string' } },
  });
  const [text, ...more] = positionals;
  if (text === undefined || more.length > 0) {
    throw new WrongArgument('name one dead letter, as PARTITION:OFFSET');
  }
  return { kind: 'show', place: placeOf(text), bytesFile: values.bytes };
}

function parseRedrive(args: readonly string[], nowMs: number): RedriveArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...FILTERS,
      all: { type: 'boolean' },
      mend: { type: 'boolean' },
      'dry-run': { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  if ((positionals.length === 0) !== (values.all === true)) {
    throw new WrongArgument('name dead letters, as PARTITION:OFFSET, or give --all; not both');
  }
  const filter = filterOf(values, nowMs);
  if (values.all !== true && Object.values(filter).some((given) => given !== undefined)) {
    throw new WrongArgument('--reason, --topic and --since choose among --all');
  }
  return {
    kind: 'redrive',
    places: values.all === true ? 'all' : positionals.map(placeOf),
    filter,
    mend: values.mend === true,
    dryRun: values['dry-run'] === true,
    json: values.json === true,
  };
}

function placeOf(text: string): LetterPlace {
  const place = parsePlace(text);
  if (place === undefined)
    throw new WrongArgument(`"${text}" is no place: give PARTITION:OFFSET, such as 0:17`);
  return place;
}

function filterOf(
  {
    reason,
    topic,
    since,
  }: { reason?: string | undefined; topic?: string | undefined; since?: string | undefined },
  nowMs: number,
): LetterFilter {
  return { reason, topic, sinceMs: since === undefined ? undefined : sinceOf(since, nowMs) };
}

function sinceOf(text: string, nowMs: number): number {
  const [, number, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (number !== undefined) return nowMs - Number(number) * UNITS_MS[unit as keyof typeof UNITS_MS];
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new WrongArgument(`--since is "${text}": give 30m, 6h, or a time such as 2026-11-24T12:00:00Z`);
  }
  return ms;
}
