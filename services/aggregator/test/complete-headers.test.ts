import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBatchHeaders } from '@imscope/schemas/batch-headers.js';
import { completeHeaders } from '../src/consume/consume.js';

test('a header without a value, which Kafka allows, is read as empty and can be sent again', () => {
  // Against its types kafkajs gives null.
  const fromKafka: unknown = { 'imscope-batch': null, other: [null, Buffer.from('x')] };
  const headers = completeHeaders(fromKafka as Parameters<typeof completeHeaders>[0]);
  assert.deepEqual(headers, { 'imscope-batch': Buffer.alloc(0), other: [Buffer.alloc(0), Buffer.from('x')] });
  assert.equal(readBatchHeaders(headers, Buffer.from('value')).ok, false);
});
