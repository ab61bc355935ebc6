/* The collector's table of accepted fields in its API document has the fields of the schema, with their bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STORED_FIELDS } from '@imscope/schemas/request-log-fields.js';
import { repositoryFiles } from '../repository.js';

const DOCUMENT = 'services/collector/docs/http-api.md';
const document = repositoryFiles().find(({ path }) => path === DOCUMENT)?.text ?? '';
const section = /^### Fields of a record$(.*?)^#/ms.exec(document)?.[1] ?? '';

/** What the document says of each field, by its name in JSON. */
const rows = section.split('\n').flatMap((line) => {
  const [, names = '', text = ''] = /^\| (`[^|]*) \| ([^|]*) \|$/.exec(line) ?? [];
  return Array.from(names.matchAll(/`(\w+)`/g), ([, name = '']) => ({ name, text }));
});

const sent = STORED_FIELDS.flatMap((field) =>
  field.sentAs === null ? [] : [{ ...field, sentAs: field.sentAs }],
);

test('every field that gateways send is in the table once, and no other', () => {
  assert.deepEqual(rows.map(({ name }) => name).toSorted(), sent.map(({ sentAs }) => sentAs).toSorted());
});

test('a field that the collector sets itself is described below the table', () => {
  const missing = STORED_FIELDS.filter(({ sentAs }) => sentAs === null).filter(
    ({ name }) => !section.includes(`\`${name}\``),
  );
  assert.deepEqual(missing, []);
});

test('the table says which fields are required', () => {
  assert.deepEqual(
    rows.filter(({ text }) => text.startsWith('required;')).map(({ name }) => name),
    sent.filter(({ required }) => required).map(({ sentAs }) => sentAs),
  );
});

test('the table has the length of every text', () => {
  const wrong = sent
    .filter(({ lengthMax }) => lengthMax !== undefined)
    .filter(({ sentAs, lengthMax = 0 }) => {
      const text = rows.find(({ name }) => name === sentAs)?.text ?? '';
      return !text.includes(`up to ${lengthMax.toLocaleString('en')} characters`);
    })
    .map(({ sentAs }) => sentAs);
  assert.deepEqual(wrong, []);
});
