/*
 * The command `collector-retire`: states the greatest loss of a collector that is gone for ever, asks, and books it.
 * Exit codes: 0 done; 1 nothing to retire, not confirmed, or Kafka or the store failed; 2 wrong arguments or settings.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { settingsAreWrong } from '@imscope/runtime/config.js';
import { createKafka, type KafkaSettings } from '@imscope/runtime/kafka-client.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { createStoreClient, type StoreSettings } from '@imscope/runtime/store-client.js';
import { TERM_HOURS, termText } from '@imscope/schemas/retention.js';
import { type Ask, storeAsk } from '../store/store-ask.js';
import { describeLoss, knownLoss, unaccountedLoss } from './describe-retirement.js';
import { findIncarnations, type FoundIncarnations } from './find-incarnations.js';
import { parseRetireArguments, RETIRE_USAGE, type RetireArguments } from './retire-arguments.js';
import { retirementAccount, sendAccount } from './retirement-account.js';
import { type LogContext, waitUntilStored } from './wait-stored.js';

export type RetireProcess = {
  readonly loadSettings: () =>
    | { readonly ok: true; readonly config: KafkaSettings & StoreSettings }
    | { readonly ok: false; readonly errors: string[] };
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** The user who runs the command. */
  readonly userName: string;
  /** Reads the answer to a question from the terminal; undefined where there is no terminal. */
  readonly confirm: ((question: string) => Promise<string>) | undefined;
  readonly nowMs: () => number;
};

const STORE_TIMEOUT_MS = 60_000;
const STORED_WAIT_MS = 60_000;
const POLL_MS = 500;

export async function runRetire(args: readonly string[], process: RetireProcess): Promise<number> {
  const parsed = parseRetireArguments(args, process.nowMs());
  if (!parsed.ok) {
    process.writeError(`collector-retire: ${parsed.error}\nusage: ${RETIRE_USAGE}\n`);
    return 2;
  }
  const { options } = parsed;
  if (!options.yes && !options.dryRun && process.confirm === undefined) {
    process.writeError('collector-retire: there is no terminal to ask: give --yes, or --dry-run\n');
    return 2;
  }
  const loaded = process.loadSettings();
  if (!loaded.ok) {
    process.writeError(settingsAreWrong('aggregator', loaded.errors));
    return 2;
  }
  const { config } = loaded;
  const store = createStoreClient(config, 'imscope-retire', STORE_TIMEOUT_MS);
  const kafka = createKafka(config, 'imscope-retire', createLogger('retire', 'silent'));
  try {
    return await retire(options, { kafka, store, topicPrefix: config.kafkaTopicPrefix }, process);
  } catch (error) {
    process.writeError(`collector-retire: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await store.close();
  }
}

async function retire(
  options: RetireArguments,
  context: LogContext,
  process: RetireProcess,
): Promise<number> {
  const behind = await waitUntilStored(context, STORED_WAIT_MS);
  if (behind > 0) {
    process.writeError(
      `collector-retire: ${behind} messages of the log are not stored, so it is not known what is lost: start the aggregators, and run it again\n`,
    );
    return 1;
  }
  const ask = storeAsk(context.store);
  const nowMs = process.nowMs();
  const found = await findIncarnations(ask, options.name, { nowMs, stoppedMs: options.stoppedMs });
  if (found.silent.length === 0) {
    process.writeError(`collector-retire: ${nothingToRetire(options.name, found)}\n`);
    return 1;
  }
  if (!options.json) process.write(describeLoss(found, nowMs));
  const booked = options.dryRun ? false : await isConfirmed(options, process);
  if (!options.dryRun && !booked) {
    process.writeError('nothing was retired\n');
    return 1;
  }
  const isStored = booked && (await book(options, { found, nowMs }, { ...context, ask, process }));
  if (options.json) process.write(`${JSON.stringify(asJson(found, booked, isStored), undefined, 2)}\n`);
  else if (booked) {
    const text = isStored
      ? 'Retired: answers and reconciliation count the loss from now on.'
      : 'Booked in the log: it counts once an aggregator has stored it.';
    process.write(`${text}\n`);
  }
  return 0;
}

async function isConfirmed({ yes, name }: RetireArguments, { confirm }: RetireProcess): Promise<boolean> {
  if (yes) return true;
  const answer = await confirm?.(`Type the name to retire ${name} for ever: `);
  return answer?.trim() === name;
}

/** @returns whether it is stored; false where that lasted too long: it is in the log, and will be */
async function book(
  { name, by, reason }: RetireArguments,
  { found, nowMs }: { readonly found: FoundIncarnations; readonly nowMs: number },
  { kafka, topicPrefix, ask, process }: LogContext & { readonly ask: Ask; readonly process: RetireProcess },
): Promise<boolean> {
  const collector = found.silent.find((one) => one.boot === name)?.collector ?? name;
  const account = retirementAccount({
    collector,
    retired: found.silent,
    by: by ?? process.userName,
    reason,
    nowMs,
  });
  const producer = kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 5 } });
  await producer.connect();
  try {
    await sendAccount(producer, topicPrefix, account);
  } finally {
    await producer.disconnect();
  }
  const untilMs = performance.now() + STORED_WAIT_MS;
  while (performance.now() < untilMs) {
    const [row] = await ask<{ rows: number }>(
      'SELECT count() AS rows FROM edge_account_kept WHERE boot = {boot:String}',
      { boot: account.boot },
    );
    if ((row?.rows ?? 0) > 0) return true;
    await delay(POLL_MS);
  }
  return false;
}

function nothingToRetire(name: string, { live, done }: FoundIncarnations): string {
  if (live.length > 0) {
    return `"${name}" is heard (${live.join(', ')}): only a collector that is silent for two minutes can be retired`;
  }
  if (done.length > 0) {
    return `all ${done.length} incarnations of "${name}" ended cleanly or are retired: there is nothing to retire`;
  }
  return `no collector or incarnation "${name}" was heard in ${termText(TERM_HOURS.edgeAccount)}: "imscope collector list" names them`;
}

function asJson({ silent, live }: FoundIncarnations, booked: boolean, stored: boolean): object {
  return {
    booked,
    stored,
    live,
    retired: silent.map((one) => ({
      boot: one.boot,
      collector: one.collector,
      last_account: one.lastAccount,
      last_heard: new Date(one.heardMs).toISOString(),
      missing: knownLoss(one),
      unaccounted_max: unaccountedLoss(one),
      rate: one.loss.rate,
      accepted_from: new Date(one.loss.acceptedFromMs).toISOString(),
      accepted_to: new Date(one.loss.acceptedToMs).toISOString(),
      spool_records_max: one.loss.spoolRecordsMax,
    })),
  };
}
