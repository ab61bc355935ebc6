/*
 * Publishes names, packages, owners and links of changed applications to ClickHouse, for the answers of the query service. It is
 * told which applications changed and reads their rows itself: entries hold only what collectors obey.
 */
import type { EntryChange } from '@imscope/schemas/registry-entry.js';
import type { Reader } from '../rows/application-rows.js';
import { type ApplicationDetail, type DetailSink, detailOf } from './detail-sink.js';
import type { ChangePages, EntrySink } from './entry-sink.js';

const COLUMNS = ['sdk_app_id', 'name', 'package', 'owner', 'data_centre', 'runbook_url', 'links'] as const;
/** The store is asked this often whether it still holds what was written. */
const CHECK_EVERY_MS = 10_000;

/** `end` of a position is the highest revision that was written. */
export function createNameSink(sink: DetailSink, db: Reader, now: () => number): EntrySink {
  let checkedMs = Number.NEGATIVE_INFINITY;
  return {
    name: 'clickhouse',
    isAt: async ({ end }) => {
      if (now() - checkedMs < CHECK_EVERY_MS) return true;
      const isThere = (await sink.newestRevision()) >= end;
      checkedMs = now();
      return isThere;
    },
    republish: async (pages, generation, revision) => {
      let end = 0;
      await sink.replaceAll(detailPages(pages, db, (newest) => (end = Math.max(end, newest))));
      return { generation, revision, forgotten: 0, end };
    },
    publish: async (changes, position) => {
      const details = await detailsOf(changes, db);
      await sink.write(details);
      const end = Math.max(position.end, ...details.map((one) => one.revision));
      return { ...position, revision: changes.at(-1)?.revision ?? position.revision, end };
    },
    // The purge of an application deletes its rows.
    forget: async (_keys, _revision, position) => position,
    close: async () => undefined,
  };
}

async function* detailPages(
  pages: ChangePages,
  db: Reader,
  onRevision: (newest: number) => void,
): AsyncGenerator<readonly ApplicationDetail[]> {
  for await (const changes of pages) {
    const details = await detailsOf(changes, db);
    for (const { revision } of details) onRevision(revision);
    yield details;
  }
}

/** An application that is deleted, or whose row is gone already, loses its name. */
async function detailsOf(changes: readonly EntryChange[], db: Reader): Promise<ApplicationDetail[]> {
  const changed = new Map(
    changes.flatMap(({ key, revision }): [number, number][] => {
      const id = /^application\/(\d+)$/.exec(key)?.[1];
      return id === undefined ? [] : [[Number(id), revision]];
    }),
  );
  if (changed.size === 0) return [];
  const rows = await db
    .selectFrom('application')
    .select([...COLUMNS])
    .where('sdk_app_id', 'in', [...changed.keys()])
    .execute();
  const named = new Map(rows.map((row) => [row.sdk_app_id, row]));
  return Array.from(changed, ([id, revision]) => {
    const row = named.get(id);
    return row === undefined ? deletedDetail(id, revision) : detailOf(row, revision);
  });
}

function deletedDetail(sdkAppId: number, revision: number): ApplicationDetail {
  const texts = { name: '', package: '', owner: '', region: '', runbook_url: '', links: '' };
  return { sdk_app_id: sdkAppId, ...texts, revision, deleted: true };
}
