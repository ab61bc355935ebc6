/*
 * Whether tables and views keep and show data as long as promised, read back from the store: somebody may have
 * changed a TTL, or a migration may lack one.
 */
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import { STORE_TERMS } from '@imscope/schemas/retention.js';

/** A table as `system.tables` has it; the select is that of a view. */
export type StoredTable = {
  readonly name: string;
  readonly engine_full: string;
  readonly as_select: string;
};
type StoreTerm = (typeof STORE_TERMS)[number];

const TABLES_SQL = `
SELECT name, engine_full, as_select
FROM system.tables
WHERE database = currentDatabase() AND name IN {names:Array(String)}`;

const UNIT_HOURS: Readonly<Record<string, number>> = {
  Second: 1 / 3_600,
  Minute: 1 / 60,
  Hour: 1,
  Day: 24,
  Week: 168,
};
/** Elements of a TTL that move or shrink rows, or delete some of them earlier. */
const NOT_A_TERM = / TO (?:DISK|VOLUME) | RECOMPRESS | WHERE | GROUP BY /;

/** What of tables and views does not keep its term, a sentence each. Those that are not there have none to break. */
export async function storeFaults(store: Pick<ClickHouseClient, 'query'>): Promise<string[]> {
  const answer = await store.query({
    query: TABLES_SQL,
    query_params: { names: STORE_TERMS.map(({ name }) => name) },
    format: 'JSONEachRow',
  });
  return tableFaults(await answer.json<StoredTable>());
}

export function tableFaults(tables: readonly StoredTable[]): string[] {
  return STORE_TERMS.flatMap((term) => {
    const table = tables.find(({ name }) => name === term.name);
    if (table === undefined) return [];
    return term.kind === 'table' ? ttlFaults(table, term) : viewFaults(table, term);
  });
}

/** One element deletes, it does so after the term, and it counts from the event time. */
function ttlFaults({ name, engine_full: engine }: StoredTable, { column, hours }: StoreTerm): string[] {
  const [, ttl = ''] = / TTL (.+?)(?: SETTINGS |$)/s.exec(engine) ?? [];
  const deletions = elementsOf(ttl).filter((element) => !NOT_A_TERM.test(`${element} `));
  const [only = ''] = deletions;
  const interval = new RegExp(
    `^(?:toDateTime\\(${column}\\)|${column}) \\+ toInterval(\\w+)\\((\\d+)\\)(?: DELETE)?$`,
  );
  if (deletions.length === 1 && hoursOf(interval.exec(only)) === hours) return [];
  const received = ttl === '' ? 'no TTL' : `TTL ${ttl}`;
  return [
    `table ${name} has ${received}, allowed is only ${column} + ${hours} h: ` +
      `ALTER TABLE ${name} MODIFY TTL toDateTime(${column}) + INTERVAL ${hours} HOUR DELETE`,
  ];
}

function viewFaults({ name, as_select: select }: StoredTable, { column, hours }: StoreTerm): string[] {
  const clip = new RegExp(`\\b${column} > \\(?now64\\(3, 'UTC'\\) - toInterval(\\w+)\\((\\d+)\\)\\)?$`);
  if (hoursOf(clip.exec(select)) === hours) return [];
  return [
    `view ${name} is ${select}, allowed is only one that ends in ${column} > now64(3, 'UTC') - INTERVAL ${hours} HOUR: ` +
      'create it again as in schemas/clickhouse',
  ];
}

function hoursOf(match: RegExpExecArray | null): number | undefined {
  const [, unit = '', amount = ''] = match ?? [];
  const unitHours = UNIT_HOURS[unit];
  return unitHours === undefined ? undefined : unitHours * Number(amount);
}

/** Split at the commas between elements, not at those within brackets. */
function elementsOf(ttl: string): string[] {
  const elements: string[] = [];
  let depth = 0;
  let element = '';
  for (const letter of ttl) {
    if (letter === '(') depth += 1;
    if (letter === ')') depth -= 1;
    if (letter === ',' && depth === 0) {
      elements.push(element.trim());
      element = '';
    } else element += letter;
  }
  if (element.trim() !== '') elements.push(element.trim());
  return elements;
}
