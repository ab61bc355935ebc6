import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import avro from 'avsc';
import { ALL_SCHEMAS, schemaByFingerprint } from '../src/avro-schema.js';
import { decodeContainer } from '../src/container-decoder.js';
import { wrapBlock } from '../src/container.js';
import { sampleRequestLog } from './sample-records.js';

/** What was ever written to a topic must stay readable, so a version's bytes are fixed for good. */
const FINGERPRINTS: Record<string, string> = {
  'RequestLog.1': 'a02e7b95eef8b40fefd3a7f471575c1f',
  'InterfaceMetric.1': '4ff6c727e4b1676469757155361ec1a8',
  'EdgeAccount.1': '79e485e168cb948405765ce71af9ad5f',
  'EdgeAccount.2': '5bfa671c275593a5949aff994334279b',
  'EdgeAccount.3': '980c38a1c7d2978a44bf74ee5023980e',
};

test('no version that was ever written has changed since', () => {
  const found = Object.fromEntries(
    ALL_SCHEMAS.map(({ name, version, fingerprint }) => [`${name}.${version}`, fingerprint.toString('hex')]),
  );
  assert.deepEqual(found, FINGERPRINTS);
});

test('every .avsc file is one of the known versions', () => {
  const files = readdirSync(new URL('../avro/', import.meta.url)).filter((file) => file.endsWith('.avsc'));
  assert.equal(files.length, ALL_SCHEMAS.length);
  for (const schema of ALL_SCHEMAS) assert.equal(schemaByFingerprint(schema.fingerprint), schema);
});

test('all versions of a record read each other', () => {
  for (const writer of ALL_SCHEMAS) {
    for (const reader of ALL_SCHEMAS.filter(({ name }) => name === writer.name)) {
      assert.ok(
        reader.type.createResolver(writer.type),
        `${reader.name}.${reader.version} reads .${writer.version}`,
      );
    }
  }
});

test('a later version with a defaulted field reads what the first version wrote', () => {
  const [first] = ALL_SCHEMAS;
  assert.ok(first !== undefined);
  const definition = JSON.parse(first.json) as { fields: unknown[] };
  definition.fields.push({ name: 'added_later', type: 'string', default: 'unset' });
  const later = avro.Type.forSchema(definition as unknown as avro.Schema, { wrapUnions: 'never' });
  const decoded = decodeContainer(wrapBlock(first, 1, first.type.toBuffer(sampleRequestLog(1))), later);
  assert.ok(decoded.ok);
  assert.equal((decoded.records[0] as { added_later: string }).added_later, 'unset');
});
