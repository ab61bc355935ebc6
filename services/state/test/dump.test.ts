import assert from 'node:assert/strict';
import { test } from 'node:test';
import { autoId, INTEGER, LONG_TEXT, SHARE, text } from '../src/columns.js';
import type { Database, DialectName } from '../src/database.js';
import { clearTables, dumpTables, loadDump, type RowCounts } from '../src/dump.js';
import { DIALECTS, emptyDatabase } from './both-databases.js';

type Tables = {
  pet: { id?: number; name: string; note: string | null; weight: number };
  visit: { pet_id: number; at_ms: number };
};
const TABLES = ['pet', 'visit'] as const;

async function withTables(dialect: DialectName): Promise<Database<Tables>> {
  const database = (await emptyDatabase(dialect)).open<Tables>();
  const { schema } = database.kysely;
  await schema
    .createTable('pet')
    .addColumn('id', INTEGER, autoId)
    .addColumn('name', text(64), (column) => column.notNull())
    .addColumn('note', LONG_TEXT)
    .addColumn('weight', SHARE)
    .execute();
  await schema
    .createTable('visit')
    .addColumn('pet_id', INTEGER)
    .addColumn('at_ms', INTEGER)
    .addPrimaryKeyConstraint('visit_key', ['pet_id', 'at_ms'])
    .execute();
  return database;
}

const PETS: Tables['pet'][] = [
  { id: 1, name: `O'Brien "x" \\ 🙂`, note: null, weight: 0.1 + 0.2 },
  { id: 7, name: 'ä\n', note: 'x'.repeat(600_000), weight: 1e300 },
  { id: 2 ** 53 - 1, name: '', note: '', weight: -5 },
];

async function fill({ kysely }: Database<Tables>, visits: number): Promise<void> {
  for (const pet of PETS) await kysely.insertInto('pet').values(pet).execute();
  for (let from = 0; from < visits; from += 1_000) {
    const rows = Array.from({ length: Math.min(1_000, visits - from) }, (_, at) => ({
      pet_id: 1,
      at_ms: from + at,
    }));
    await kysely.insertInto('visit').values(rows).execute();
  }
}

async function linesOf(database: Database<Tables>): Promise<{ lines: string[]; counts: RowCounts }> {
  const lines: string[] = [];
  const dump = dumpTables(database, TABLES);
  for (;;) {
    const { done, value } = await dump.next();
    if (done === true) return { lines, counts: value };
    lines.push(value);
  }
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

for (const from of DIALECTS)
  for (const to of DIALECTS)
    test(`a dump of ${from} loads into ${to}, and comes out of it the same`, async () => {
      const source = await withTables(from);
      await fill(source, 2_500);
      const { lines, counts } = await linesOf(source);
      assert.deepEqual(counts, { pet: 3, visit: 2_500 });
      const target = await withTables(to);
      assert.deepEqual(await loadDump(target, each(lines), { tables: TABLES }), counts);
      assert.deepEqual(await target.kysely.selectFrom('pet').selectAll().orderBy('id').execute(), PETS);
      assert.deepEqual((await linesOf(target)).lines.toSorted(), lines.toSorted());
    });

for (const dialect of DIALECTS) {
  test(`${dialect}: a dump is of one moment, and writers do not wait for it`, async () => {
    const database = await withTables(dialect);
    await fill(database, 3_000);
    const dump = dumpTables(database, TABLES);
    await dump.next();
    await dump.next();
    await database.kysely.insertInto('visit').values({ pet_id: 2, at_ms: 1 }).execute();
    await database.kysely.deleteFrom('visit').where('pet_id', '=', 1).execute();
    let visits = 0;
    for await (const line of dump) if (line.startsWith('{"table":"visit"')) visits++;
    assert.equal(visits, 3_000);
  });

  test(`${dialect}: a dump that is left early gives its connection back`, async () => {
    const database = await withTables(dialect);
    await fill(database, 3_000);
    for (let round = 0; round < 15; round++)
      for await (const line of dumpTables(database, TABLES)) if (line.includes('visit')) break;
    assert.equal((await linesOf(database)).counts['visit'], 3_000);
  });

  test(`${dialect}: a dump that is cut off, goes on after its end, or holds another table is refused`, async () => {
    const source = await withTables(dialect);
    await fill(source, 3);
    const { lines } = await linesOf(source);
    const refused: [string[], RegExp][] = [
      [lines.slice(0, -1), /cut off/],
      [lines.toSpliced(3, 1), /has 5 rows, and says 6/],
      [[...lines, ...lines.slice(1, 2)], /after its end/],
      [lines.slice(1), /line 1 is not one of a dump/],
      [['{"dump":1,"tables":["pet","mysql"]}', ...lines.slice(1)], /table mysql: allowed are pet, visit/],
      [[...lines.slice(0, 1), '{"table":"pet","row":{"id":{"a":1}}}', ...lines.slice(1)], /line 2 is not/],
    ];
    for (const [changed, reason] of refused) {
      const target = await withTables(dialect);
      await assert.rejects(loadDump(target, each(changed), { tables: TABLES }), reason);
    }
  });

  test(`${dialect}: a load that was cut off is done again after clearing`, async () => {
    const source = await withTables(dialect);
    await fill(source, 5_000);
    const { lines, counts } = await linesOf(source);
    const target = await withTables(dialect);
    await assert.rejects(loadDump(target, each(lines.slice(0, 4_000)), { tables: TABLES }), /cut off/);
    await clearTables(target, TABLES);
    assert.deepEqual(await loadDump(target, each(lines), { tables: TABLES }), counts);
  });
}
