/*
 * `main.js ledger-check [--from SPAN|TIME] [--json] [--settled]`: the four checks, once. Exit codes: 0 no
 * difference, 1 differences, 2 they could not be compared: wrong use, or the store does not answer.
 */
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { settingsAreWrong } from '@imscope/runtime/config.js';
import { createStoreClient, type StoreSettings } from '@imscope/runtime/store-client.js';
import { checkLedger } from './check-ledger.js';
import { checkConfirmed } from './confirmed-check.js';
import { describeReport } from './describe-report.js';
import { LOOK_BACK_MS, SETTLE_MS } from './pass.js';
import { storeAsk } from '../store/store-ask.js';

export type Output = {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
};

export type LoadSettings = () =>
  | { readonly ok: true; readonly config: StoreSettings & { readonly kafkaTopicPrefix: string } }
  | { readonly ok: false; readonly errors: string[] };

const STORE_TIMEOUT_MS = 120_000;
const USAGE = 'ledger-check: give [--from 15m|24h|6d|RFC 3339 time] [--json] [--settled]\n';

type Options = { readonly fromMs: number; readonly json: boolean; readonly settled: boolean };

export async function runLedgerCheck(
  args: readonly string[],
  loadSettings: LoadSettings,
  { stdout, stderr }: Output,
): Promise<number> {
  const options = readOptions(args, Date.now());
  const loaded = loadSettings();
  if (typeof options === 'string' || !loaded.ok) {
    stderr.write(typeof options === 'string' ? options : '');
    stderr.write(loaded.ok ? '' : settingsAreWrong('aggregator', loaded.errors));
    return 2;
  }
  const { config } = loaded;
  const store = createStoreClient(config, 'imscope-ledger-check', STORE_TIMEOUT_MS);
  try {
    const request = {
      ask: storeAsk(store),
      topicPrefix: config.kafkaTopicPrefix,
      fromMs: options.fromMs,
      settleMs: options.settled ? 0 : SETTLE_MS,
    };
    const wait = async (ms: number): Promise<void> => {
      stderr.write(`something differs: checking again in ${ms / 1_000} s, for it may be on its way\n`);
      await delay(ms);
    };
    const report = options.settled
      ? await checkLedger({ ...request, nowMs: Date.now() })
      : await checkConfirmed(request, { now: Date.now, wait });
    stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : describeReport(report));
    return report.differences.length === 0 ? 0 : 1;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    stderr.write(`ledger-check: the store at ${config.storeUrl} cannot be asked: ${reason}\n`);
    return 2;
  } finally {
    await store.close();
  }
}

/** Options, or what is wrong with them. */
function readOptions(args: readonly string[], nowMs: number): Options | string {
  let values: { from?: string; json?: boolean; settled?: boolean };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: { from: { type: 'string' }, json: { type: 'boolean' }, settled: { type: 'boolean' } },
    }));
  } catch (error) {
    return `ledger-check: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`;
  }
  const { from, json = false, settled = false } = values;
  const fromMs = from === undefined ? nowMs - LOOK_BACK_MS : parseFrom(from, nowMs);
  if (fromMs === undefined || fromMs > nowMs) return `ledger-check: --from is "${from}"\n${USAGE}`;
  // Beyond that rows have left the tables by themselves.
  return { fromMs: Math.max(fromMs, nowMs - LOOK_BACK_MS), json, settled };
}

const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function parseFrom(from: string, nowMs: number): number | undefined {
  const [, amount, unit] = /^(\d{1,5})([mhd])$/.exec(from) ?? [];
  if (amount !== undefined) return nowMs - Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS];
  const time = /^\d{4}-\d\d-\d\d/.test(from) ? Date.parse(from) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
