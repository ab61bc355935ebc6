/* The arguments of `collector-retire`, checked. Pure. */
import { parseArgs } from 'node:util';

export type RetireArguments = {
  /** Name of a collector, or the id of one of its incarnations. */
  readonly name: string;
  readonly reason: string;
  /** Undefined: the user who runs the command. */
  readonly by: string | undefined;
  /** When the collector stopped, where it is known; epoch milliseconds. */
  readonly stoppedMs: number | undefined;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
};

export type ParsedRetire =
  { readonly ok: true; readonly options: RetireArguments } | { readonly ok: false; readonly error: string };

export const RETIRE_USAGE =
  'collector-retire NAME --reason TEXT [--stopped TIME] [--by NAME] [--yes] [--dry-run] [--json]';

const NAME = /^[\w.:-]{1,128}$/;
const TEXT_MAX = 500;
const BY_MAX = 128;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

export function parseRetireArguments(args: readonly string[], nowMs: number): ParsedRetire {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        reason: { type: 'string' },
        by: { type: 'string' },
        stopped: { type: 'string' },
        yes: { type: 'boolean', default: false },
        'dry-run': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const [name, ...more] = positionals;
    if (name === undefined || more.length > 0) return wrong('give the name of one collector');
    if (!NAME.test(name)) return wrong(`"${name}" is no name of a collector or incarnation`);
    const { reason, by, stopped, yes, json, 'dry-run': dryRun } = values;
    if (!isText(reason, TEXT_MAX)) return wrong(`give --reason with 1 to ${TEXT_MAX} characters`);
    if (by !== undefined && !isText(by, BY_MAX)) return wrong(`give --by with 1 to ${BY_MAX} characters`);
    const stoppedMs = stopped === undefined ? undefined : parseTime(stopped);
    if (Number.isNaN(stoppedMs) || (stoppedMs ?? 0) > nowMs) {
      return wrong(`--stopped is "${stopped}": give a time that has passed, such as 2026-11-24T12:00:00Z`);
    }
    return { ok: true, options: { name, reason, by, stoppedMs, yes, dryRun, json } };
  } catch (error) {
    // parseArgs throws TypeErrors that say what is wrong.
    if (error instanceof TypeError) return wrong(error.message);
    throw error;
  }
}

function isText(text: string | undefined, charactersMax: number): text is string {
  // oxlint-disable-next-line no-control-regex -- they would reach terminals
  return text !== undefined && /^[^\u0000-\u001f\u007f]+$/.test(text) && text.length <= charactersMax;
}

function parseTime(text: string): number {
  return TIME.test(text) ? Date.parse(text) : Number.NaN;
}

function wrong(error: string): ParsedRetire {
  return { ok: false, error };
}
