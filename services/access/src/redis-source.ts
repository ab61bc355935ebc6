/*
 * Entries out of Redis: everything by HSCAN, then what changed since by the sorted set of revisions. A message on the
 * channel says that there is something new; every second the revision is read besides, because messages of Redis can be
 * lost. Names and their meaning: schemas/src/registry-entry.ts.
 */
import { EventEmitter, once } from 'node:events';
import type { EntryChange, EntryPosition } from '@imscope/schemas/registry-entry.js';
import { redisNames } from '@imscope/schemas/registry-entry.js';
import { parseEntryChange } from './entry-change.js';
import type { EntryReceiver, EntrySource } from './entry-source.js';
import { CONNECT_MS_MAX, createRedisClient, type RedisClient, type RedisSettings } from './redis-client.js';
import { startSessions, withinTime } from './source-sessions.js';

type Names = ReturnType<typeof redisNames>;

const CHECK_MS = 1_000;
/** A Redis that answers a look at the revision later than this is away. */
const CHECK_MS_MAX = 3_000;
/** For one page of entries. */
const PAGE_MS_MAX = 10_000;
const PAGE_ENTRIES = 1_000;
/** Of everything: few pages, because each is a round trip. It keeps Redis busy for some 5 ms. */
const SCAN_ENTRIES = 10_000;

export function createRedisSource(settings: RedisSettings, clientName: string): EntrySource {
  const names = redisNames(settings.prefix);
  let stop: (() => Promise<void>) | undefined;
  return {
    name: `Redis at ${new URL(settings.url).host}`,
    start: (receiver) => {
      const session = (stopping: AbortSignal): Promise<void> =>
        runSession({ settings, clientName, names, receiver }, stopping);
      stop = startSessions(session, receiver.failing);
    },
    stop: async () => stop?.(),
  };
}

type Session = {
  readonly settings: RedisSettings;
  readonly clientName: string;
  readonly names: Names;
  readonly receiver: EntryReceiver;
};

async function runSession(session: Session, stopping: AbortSignal): Promise<void> {
  const { settings, clientName, names, receiver } = session;
  const events = new EventEmitter();
  const clients = [createRedisClient(settings, clientName), createRedisClient(settings, clientName)] as const;
  const [client, subscriber] = clients;
  const failures: Error[] = [];
  let isNews = false;
  for (const each of clients) {
    each.on('error', (error: Error) => {
      failures.push(error);
      events.emit('wake');
    });
  }
  try {
    await withinTime(Promise.all(clients.map((each) => each.connect())), CONNECT_MS_MAX, 'connecting');
    await withinTime(
      subscriber.subscribe(names.channel, () => {
        isNews = true;
        events.emit('wake');
      }),
      CHECK_MS_MAX,
      'subscribing',
    );
    while (!stopping.aborted) {
      isNews = false;
      await readNews(client, names, receiver);
      if (!isNews && failures.length === 0) await untilWoken(events, stopping);
      const [failure] = failures;
      if (failure !== undefined) throw failure;
    }
  } finally {
    for (const each of clients) if (each.isOpen) each.destroy();
  }
}

/** Resolves at news, at a failure, at the stop, or after a second. */
async function untilWoken(events: EventEmitter, stopping: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(CHECK_MS)]);
  await once(events, 'wake', { signal }).catch(() => undefined);
}

async function readNews(client: RedisClient, names: Names, receiver: EntryReceiver): Promise<void> {
  const there = await readState(client, names);
  if (there === undefined) {
    receiver.failing('it holds no complete publication of the registry yet');
    return;
  }
  const here = receiver.position();
  if (here?.generation !== there.position.generation || here.revision < there.floor) {
    await readEverything(client, names, receiver, there.position);
  } else if (here.revision > there.position.revision) {
    receiver.failing(
      `its revision ${there.position.revision} is older than ${here.revision}, which is known here: the registry will publish again`,
    );
    return;
  } else if (here.revision < there.position.revision) {
    await readChanges(client, names, receiver, { since: here, until: there.position });
  }
  receiver.current();
}

async function readState(
  client: RedisClient,
  names: Names,
): Promise<{ readonly position: EntryPosition; readonly floor: number } | undefined> {
  const read = client.mGet([names.generation, names.revision, names.floor]);
  const [generation, revision, floor] = await withinTime(read, CHECK_MS_MAX, 'reading the revision');
  if (typeof generation !== 'string' || typeof revision !== 'string') return undefined;
  return { position: { generation, revision: Number(revision) }, floor: Number(floor ?? 0) };
}

async function readEverything(
  client: RedisClient,
  names: Names,
  receiver: EntryReceiver,
  position: EntryPosition,
): Promise<void> {
  const entries = new Map<string, EntryChange | undefined>();
  const readPage = async (cursor: string) => {
    const page = client.hScan(names.entries, cursor, { COUNT: SCAN_ENTRIES });
    return withinTime(page, PAGE_MS_MAX, 'reading entries');
  };
  for (let page = await readPage('0'); ;) {
    // Redis reads the next page while this one is parsed.
    const next = page.cursor === '0' ? undefined : readPage(page.cursor);
    for (const { field, value } of page.entries) entries.set(field, readEntry(field, value, receiver));
    if (next === undefined) break;
    page = await next;
  }
  // A publication that began meanwhile had emptied the hash.
  const after = await readState(client, names);
  if (after?.position.generation !== position.generation) {
    throw new Error('the registry published everything again while it was read');
  }
  await receiver.replace(entries, position);
}

async function readChanges(
  client: RedisClient,
  names: Names,
  receiver: EntryReceiver,
  { since, until }: { readonly since: EntryPosition; readonly until: EntryPosition },
): Promise<void> {
  let { revision } = since;
  for (;;) {
    const limit = { LIMIT: { offset: 0, count: PAGE_ENTRIES } };
    const page = client.zRangeByScoreWithScores(names.revisions, `(${revision}`, '+inf', limit);
    const found = await withinTime(page, PAGE_MS_MAX, 'reading what changed');
    const last = found.at(-1);
    if (last === undefined) break;
    const keys = found.map(({ value }) => value);
    const read = client.hmGet(names.entries, keys);
    const values = await withinTime(read, PAGE_MS_MAX, 'reading changed entries');
    const changes = keys.flatMap((key, index) => {
      const value = values[index];
      // A deletion that was forgotten between the two reads: the next look reads everything.
      return typeof value === 'string' ? (readEntry(key, value, receiver) ?? []) : [];
    });
    revision = last.score;
    receiver.change(changes, { ...until, revision });
    if (found.length < PAGE_ENTRIES) break;
  }
  if (revision < until.revision) receiver.change([], until);
}

function readEntry(key: string, value: string, receiver: EntryReceiver): EntryChange | undefined {
  const change = parseEntryChange(value, key);
  if (change === undefined) receiver.malformed(key);
  return change;
}
