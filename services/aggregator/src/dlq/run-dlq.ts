/*
 * The commands `dlq-ls`, `dlq-show` and `dlq-redrive`: arguments in, text and an exit code out. Exit codes: 0 done;
 * 1 a letter was refused, is not there, or a broker or store failed; 2 wrong arguments or settings.
 */
import { writeFile } from 'node:fs/promises';
import { settingsAreWrong } from '@imscope/runtime/config.js';
import { createKafka, type KafkaSettings } from '@imscope/runtime/kafka-client.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { createStoreClient, type StoreSettings } from '@imscope/runtime/store-client.js';
import { plannedTopicTerms, type TermSettings } from '@imscope/schemas/retention.js';
import type { Kafka } from 'kafkajs';
import { STREAMS, type Stream } from '../blocks/streams.js';
import { isChosen, type LetterSource, readAllLetters, readLetters } from './choose-letters.js';
import { type DeadLetter, formatPlace } from './dead-letter-entry.js';
import { OutcomeTally, describeOutcome, outcomeAsJson } from './describe-outcome.js';
import {
  type ListOptions,
  type RedriveArguments,
  type ShowOptions,
  parseDlqArguments,
} from './dlq-arguments.js';
import { inspectLetter } from './inspect-letter.js';
import { describeList, leftOut, listLetters } from './list-letters.js';
import { Redrive } from './redrive.js';
import { describeLetter } from './show-letter.js';
import type { TerminalStyle } from './terminal-text.js';

export type DlqSettings = KafkaSettings & StoreSettings & TermSettings;

export type DlqProcess = {
  readonly loadSettings: () =>
    { readonly ok: true; readonly config: DlqSettings } | { readonly ok: false; readonly errors: string[] };
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  readonly style: TerminalStyle;
  readonly nowMs: () => number;
};

type Session = {
  readonly config: DlqSettings;
  readonly source: LetterSource;
  readonly process: DlqProcess;
};

const STORE_TIMEOUT_MS = 30_000;

/** @param args the subcommand first */
export async function runDlq(args: readonly string[], process: DlqProcess): Promise<number> {
  const parsed = parseDlqArguments(args, process.nowMs());
  if (!parsed.ok) {
    process.writeError(`${args[0] ?? 'dlq'}: ${parsed.error}\n`);
    return 2;
  }
  const loaded = process.loadSettings();
  if (!loaded.ok) {
    process.writeError(settingsAreWrong('aggregator', loaded.errors));
    return 2;
  }
  const { config } = loaded;
  const kafka = createKafka(config, 'imscope-dlq', createLogger('dlq', 'silent'));
  const session = { config, process, source: { kafka, topicPrefix: config.kafkaTopicPrefix } };
  const { command } = parsed;
  try {
    if (command.kind === 'ls') return await runList(session, command);
    if (command.kind === 'show') return await runShow(session, command);
    return await runRedrive(session, command);
  } catch (error) {
    process.writeError(
      `${args[0] ?? 'dlq'} failed: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return 1;
  }
}

async function runList({ source, process }: Session, { filter, limit, json }: ListOptions): Promise<number> {
  const list = await listLetters(source, filter, limit);
  const text = json
    ? list.lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    : describeList(list, process.style, source.topicPrefix, process.nowMs());
  process.write(text);
  // Lines of JSON have no place for it.
  if (json && leftOut(list) > 0) {
    process.writeError(`${leftOut(list)} older ones are left out: --limit gives more\n`);
  }
  for (const text of list.unread) process.writeError(`${text}\n`);
  return list.unread.length === 0 ? 0 : 1;
}

async function runShow({ source, process }: Session, { place, bytesFile }: ShowOptions): Promise<number> {
  let found: DeadLetter | undefined;
  const [missing] = await readLetters(source, [place], (letter) => {
    found = letter;
  });
  if (found === undefined) {
    process.writeError(`no dead letter ${formatPlace(place)}: ${missing?.text ?? 'it was deleted'}\n`);
    return 1;
  }
  const stream = streamsOf(source).get(found.origin?.topic ?? '');
  const finding = stream === undefined ? undefined : inspectLetter(found, stream);
  process.write(await describeLetter(found, finding, process.style));
  if (bytesFile === undefined) return 0;
  const bytes = found.value ?? Buffer.alloc(0);
  // Never overwrites a file; the bytes may contain people's requests, so only the owner can read it.
  await writeFile(bytesFile, bytes, { mode: 0o600, flag: 'wx' });
  process.write(`\n${bytes.length} bytes written to ${bytesFile}\n`);
  return 0;
}

async function runRedrive(session: Session, options: RedriveArguments): Promise<number> {
  const { config, source, process } = session;
  const tally = new OutcomeTally();
  const store = createStoreClient(config, 'imscope-dlq', STORE_TIMEOUT_MS);
  const producer = source.kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 5 } });
  let missing: Awaited<ReturnType<typeof readLetters>> = [];
  let unread: readonly string[] = [];
  try {
    await producer.connect();
    const streams = streamsOf(source);
    const { cluster, partitions } = await describeTopics(source.kafka, [...streams.keys()]);
    const redrive = new Redrive(
      { ...source, producer, store, cluster, nowMs: process.nowMs },
      {
        streams,
        partitions,
        mend: options.mend,
        dryRun: options.dryRun,
        topicTerms: plannedTopicTerms(config),
      },
      (letter, outcome) => {
        tally.add(outcome);
        const line = options.json
          ? outcomeAsJson(letter, outcome)
          : describeOutcome(letter, outcome, process.style);
        process.write(line);
      },
    );
    const add = async (letter: DeadLetter): Promise<void> => {
      if (isChosen(letter, options.filter, source.topicPrefix)) await redrive.add(letter);
    };
    if (options.places === 'all') unread = await readAllLetters(source, add);
    else missing = await readLetters(source, options.places, add);
    await redrive.finish();
  } finally {
    await Promise.all([producer.disconnect(), store.close()]);
  }
  for (const { place, text } of missing) {
    process.writeError(`no dead letter ${formatPlace(place)}: ${text}\n`);
  }
  for (const text of unread) process.writeError(`${text}\n`);
  if (!options.json) process.write(`${tally.toString()}\n`);
  return tally.refused + missing.length + unread.length === 0 ? 0 : 1;
}

function streamsOf({ topicPrefix }: LetterSource): ReadonlyMap<string, Stream> {
  return new Map(STREAMS.map((stream) => [topicPrefix + stream.topic.name, stream]));
}

async function describeTopics(
  kafka: Kafka,
  topics: string[],
): Promise<{ cluster: string; partitions: Map<string, number> }> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const { clusterId } = await admin.describeCluster();
    const metadata = await admin.fetchTopicMetadata({ topics });
    const partitions = new Map(metadata.topics.map((topic) => [topic.name, topic.partitions.length]));
    return { cluster: clusterId, partitions };
  } finally {
    await admin.disconnect();
  }
}
