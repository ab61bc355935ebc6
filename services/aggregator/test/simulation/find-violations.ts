/*
 * The final check, when all has come to rest: ledger, rows and dead letters against what the logs must become.
 * Gives what is wrong, in words; nothing where every promise was kept.
 */
import type { LedgerRow } from '../../src/blocks/block-content.js';
import { type ExpectedBlock, type ExpectedLog, expectedLogs, rowsByLife } from './expected-blocks.js';
import type { Log, ModelBroker } from './model-broker.js';
import type { ModelStore, StoredRow } from './model-store.js';

export function findViolations(broker: ModelBroker, store: ModelStore): string[] {
  const ledger = store.ledger();
  const rowsByBlock = new Map<string, StoredRow[]>();
  for (const row of store.rows) {
    const rows = rowsByBlock.get(row.blockId);
    if (rows === undefined) rowsByBlock.set(row.blockId, [row]);
    else rows.push(row);
  }
  const recorded = new Set(ledger.flatMap((row) => row.block_ids));
  const problems = [...rowsByBlock.keys()]
    .filter((blockId) => !recorded.has(blockId))
    .map((blockId) => `${rowsByBlock.get(blockId)?.length} rows of block ${blockId} are not in the ledger`);
  broker.lives.forEach((lives, partition) => {
    const expected = expectedLogs(lives);
    const recorded = ledger.filter((row) => row.partition === partition);
    const byLife = rowsByLife(expected, recorded);
    const epochs = new Set(recorded.map(({ epoch }) => epoch)).size;
    const wanted = expected.filter(({ blocks }) => blocks.length > 0).length;
    if (epochs !== wanted)
      problems.push(`partition ${partition}: ${epochs} epochs are recorded, it had ${wanted} lives`);
    lives.forEach((log, life) => {
      const rows = (byLife[life] ?? []).toSorted((a, b) => a.first_offset - b.first_offset);
      const where = `partition ${partition}, life ${life}`;
      problems.push(
        ...checkLife(log, expected[life], rows, rowsByBlock, broker).map((problem) => `${where}: ${problem}`),
      );
    });
  });
  return [...problems, ...checkRowsOnce(broker, store)];
}

function checkLife(
  log: Log,
  expected: ExpectedLog | undefined,
  ledger: readonly LedgerRow[],
  rowsByBlock: ReadonlyMap<string, readonly StoredRow[]>,
  broker: ModelBroker,
): string[] {
  const blocks = expected?.blocks ?? [];
  const problems: string[] = [];
  if (ledger.length !== blocks.length) {
    problems.push(`${ledger.length} blocks are recorded, the log makes ${blocks.length}`);
  }
  blocks.forEach((block, index) => {
    const row = ledger[index];
    if (row !== undefined) problems.push(...checkBlock(block, row, rowsByBlock, log, broker));
  });
  return problems;
}

function checkBlock(
  block: ExpectedBlock,
  row: LedgerRow,
  rowsByBlock: ReadonlyMap<string, readonly StoredRow[]>,
  log: Log,
  broker: ModelBroker,
): string[] {
  const where = `block ${block.first}-${block.last}`;
  const differs = (what: string, recorded: unknown, expected: unknown): string[] =>
    JSON.stringify(recorded) === JSON.stringify(expected)
      ? []
      : [`${where}: ${what} ${JSON.stringify(recorded)}, expected ${JSON.stringify(expected)}`];
  const inserts = [...block.inserts.values()];
  const stored = row.block_ids.map((blockId) =>
    (rowsByBlock.get(blockId) ?? []).toSorted((a, b) => a.blockRow - b.blockRow),
  );
  const batches = row.batches.flatMap(({ boot, first_sequence, last_sequence }) =>
    Array.from(
      { length: last_sequence - first_sequence + 1 },
      (_, index) => `${boot}:${row.partition}:${first_sequence + index}`,
    ),
  );
  const letters = broker.deadLetters
    .filter(({ place }) => place.epoch === row.epoch && place.partition === row.partition)
    .map(({ dead }) => dead.message.offset)
    .filter((offset) => offset >= block.first && offset <= block.last);
  return [
    ...differs('offsets', [row.first_offset, row.last_offset], [block.first, block.last]),
    ...differs('messages', row.messages, between(row.messages, block.messages, block.deletedHoles)),
    ...differs('rows', row.rows, block.rows),
    ...differs(
      'duplicates',
      [row.duplicate_messages, row.duplicate_rows],
      [block.duplicates, block.duplicateRows],
    ),
    ...differs('dead messages', row.dead_messages, block.dead.length),
    ...differs(
      'dead letters',
      [...new Set(letters)].toSorted((a, b) => a - b),
      block.dead,
    ),
    ...differs(
      'bounds after it',
      [row.next_rows_max, row.next_bytes_max],
      [block.next.rowsMax, block.next.bytesMax],
    ),
    ...differs('times', [row.first_appended, row.last_appended], timesOf(block, log)),
    ...differs('batches', batches.toSorted(), [...block.batches].toSorted()),
    ...differs(
      'records',
      stored.map((rows) => rows.map(({ id }) => id)),
      inserts,
    ),
    ...differs(
      'row numbers',
      stored.map((rows) => rows.map(({ blockRow }) => blockRow)),
      inserts.map((ids) => ids.map((_, index) => index)),
    ),
  ];
}

/** The value, brought into the range from `least` on. */
function between(value: number, least: number, more: number): number {
  return Math.min(Math.max(value, least), least + more);
}

function timesOf({ first, last }: ExpectedBlock, { messages, lost, holes }: Log): (number | undefined)[] {
  const firstRead = messages.find(({ offset }) => offset >= first && !lost.has(offset) && !holes.has(offset));
  return [firstRead?.appendedMs, messages[last]?.appendedMs];
}

function checkRowsOnce(broker: ModelBroker, store: ModelStore): string[] {
  const blocks = broker.lives.flatMap((lives) => expectedLogs(lives)).flatMap((log) => log.blocks);
  const expected = new Set(blocks.flatMap(({ inserts }) => [...inserts.values()].flat()));
  const counts = new Map<string, number>();
  for (const { id } of store.rows) counts.set(id, (counts.get(id) ?? 0) + 1);
  const missing = [...expected].filter((id) => !counts.has(id)).map((id) => `record ${id} is not stored`);
  const wrong = [...counts].filter(([id, count]) => count !== 1 || !expected.has(id));
  return [...missing, ...wrong.map(([id, count]) => `record ${id} is stored ${count} times`)];
}
