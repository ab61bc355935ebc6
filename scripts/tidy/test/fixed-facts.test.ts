/*
 * A fixed fact is stated once in product code: elsewhere it is imported or derived. Tests and documents state it again, so
 * that a change of it is noticed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REQUEST_LOG_FIELDS, STORED_FIELDS } from '@imscope/schemas/request-log-fields.js';
import { LEDGER_TERM_HOURS, TERM_HOURS, TOPIC_NAMES } from '@imscope/schemas/retention.js';
import { type RepositoryFile, repositoryFiles } from '../repository.js';

const PRODUCT = /^(services\/[^/]+\/src|schemas\/src|scripts\/start-demo)\/.*\.tsx?$/;
const files = repositoryFiles();
const product = files.filter(({ path }) => PRODUCT.test(path) && !path.endsWith('.test.ts'));

/** Lines that hold the pattern, but those of the fact's own file and of files where it is something else. */
function statedIn(pattern: RegExp, home: string, elsewhere: readonly string[] = []): string[] {
  assert.ok(
    product.some(({ path }) => path === home),
    `${home} is not there: the fact has moved`,
  );
  return product
    .filter(({ path }) => path !== home && !elsewhere.some((other) => path.includes(other)))
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
    );
}

/** A number as code writes it, with or without `_` between its digits. */
function numberPattern(value: number): string {
  const grouped = value.toLocaleString('en').replaceAll(',', '_?');
  return String.raw`(?<![\d._])${grouped}(?![\d_.])`;
}

const RETENTION = 'schemas/src/retention.ts';
const TERMS_HOURS = [...new Set([...Object.values(TERM_HOURS), LEDGER_TERM_HOURS])];

test('a term is stated in hours, days, seconds and milliseconds by no other file', () => {
  const numbers = TERMS_HOURS.flatMap((hours) => [hours * 3_600, hours * 3_600_000]).map(numberPattern);
  const products = TERMS_HOURS.map((hours) => String.raw`\b${hours / 24} \* (DAY_MS|24 \*|86_?400)`);
  const hours = [TERM_HOURS.requestLog, LEDGER_TERM_HOURS].map(numberPattern);
  const pattern = new RegExp([...numbers, ...products, ...hours].join('|'));
  const otherThings = [
    // Codes of the engine, a week among the units of a TTL, and how long a demonstration may run.
    '/store-error.ts',
    '/store-terms.ts',
    'start-demo/options.ts',
    // A week among the bounds of a recall of messages and of a purge, and how long before a purge notices are sent.
    'registry-api/configuration.ts',
    'lifecycle/lifecycle-settings.ts',
    'lifecycle/write-due-notices.ts',
  ];
  assert.deepEqual(statedIn(pattern, RETENTION, otherThings), []);
});

test('no message, comment or description states a term in words', () => {
  const days = TERMS_HOURS.map((hours) => String(hours / 24));
  const pattern = new RegExp(String.raw`\b(${[...days, 'seven', 'two', 'fourteen'].join('|')}) days\b`, 'i');
  // Rules of the IM platform.
  const otherThings = ['schemas/src/codes/'];
  assert.deepEqual(statedIn(pattern, RETENTION, otherThings), []);
});

test('bounds of fields are stated in the table of fields alone', () => {
  const { sdk_app_id, latency_us, code } = REQUEST_LOG_FIELDS;
  const bounds = [latency_us.max, sdk_app_id.max, code.max];
  const pattern = new RegExp(
    [...bounds.map(numberPattern), String.raw`2 \*\* 52 - 1`, String.raw`2 \*\* 31 - 1`].join('|'),
  );
  assert.deepEqual(statedIn(pattern, 'schemas/src/request-log-fields.ts'), []);
});

test('names of topics are stated once', () => {
  const names = Object.values(TOPIC_NAMES).map((name) => name.replace('.', String.raw`\.`));
  const pattern = new RegExp(String.raw`['"\x60](${names.join('|')})['"\x60]`);
  assert.deepEqual(statedIn(pattern, RETENTION), []);
});

test('the form of a keyed batch’s id is known to one file', () => {
  assert.deepEqual(statedIn(/KEYED_PREFIX|KEYED_DIGITS|base 36/, 'schemas/src/batch-headers.ts'), []);
});

test('the bounds of the latency histogram are known to one file', () => {
  assert.deepEqual(
    statedIn(/BUCKETS_PER_DOUBLING|toInt16\(|scale 5/, 'schemas/src/latency-histogram.ts'),
    [],
  );
});

/** Fields that only codecs written by hand, their types and the table may spell one after the other. */
test('no file but the codecs lists the fields of a request log', () => {
  const CODECS = [
    'schemas/src/request-log-fields.ts',
    'schemas/src/request-log-encoder.ts',
    'schemas/src/raw-fields.ts',
    '/avro-records.ts',
    '/attribute-fields.ts',
    '/validate-record.ts',
    '/figures/request-row.ts',
    // The details of one request on a page.
    'services/dashboard/src/pages/application/request-table-row.tsx',
  ];
  const listing = product
    .filter(({ path }) => !CODECS.some((codec) => path.includes(codec)))
    .filter(listsEveryField)
    .map(({ path }) => path);
  assert.deepEqual(listing, []);
});

/** Whether a file names every text field that gateways may leave out. */
function listsEveryField({ text }: RepositoryFile): boolean {
  return STORED_FIELDS.filter(({ type, required }) => type === 'text' && !required).every(({ name }) =>
    new RegExp(String.raw`\b${name}\b`).test(text),
  );
}

test('the defaults of settings that are terms are stated once', () => {
  assert.deepEqual(
    statedIn(/lateHoursMax: \d|edgeWaitHours: \d|requestLogTopicHours: \d|deadLetterHours: \d/, RETENTION),
    [],
  );
});
