import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { WRITE_TOKEN } from '../running-collector.js';
import { type CollectorProcess, startCollectorProcess } from './collector-process.js';
import { readCorpus, SEEDS } from './fuzz/corpus.js';
import { createCostJudge, runOnce } from './fuzz/target.js';
import { FUZZ_TARGETS } from './fuzz/targets.js';

const RUNS = 1_000;
const HTTP_STATUSES = new Set([202, 400, 413, 415]);
const CONTENT_TYPES = ['application/json', 'application/x-ndjson', 'application/avro'];

for (const target of FUZZ_TARGETS) {
  test(`${target.name}: whatever comes, it says a documented word, in time that grows with the input alone`, () => {
    const judge = createCostJudge(target);
    for (const { bytes } of readCorpus()) {
      runOnce(target, bytes);
      judge(bytes);
    }
    for (const seed of SEEDS) {
      const property = fc.property(target.inputs, (input) => {
        runOnce(target, input);
        judge(input);
      });
      fc.assert(property, { seed, numRuns: RUNS });
    }
  });
}

async function post(
  collector: CollectorProcess,
  body: Buffer,
  type: string,
  encoding: string,
): Promise<number> {
  const headers = {
    authorization: `Bearer ${WRITE_TOKEN}`,
    'content-type': type,
    'content-encoding': encoding,
  };
  const response = await fetch(collector.url, { method: 'POST', body, headers });
  await response.arrayBuffer();
  return response.status;
}

test('the corpus and random bodies over HTTP get documented answers, and release all memory', async () => {
  const inputs = readCorpus().map(({ bytes }) => bytes);
  for (const [index, target] of FUZZ_TARGETS.entries()) {
    inputs.push(...fc.sample(target.inputs, { seed: (SEEDS[0] ?? 0) + index, numRuns: 30 }));
  }
  const collector = await startCollectorProcess();
  try {
    for (const bytes of inputs) {
      for (const type of CONTENT_TYPES) {
        const sent = [bytes, bytes, gzipSync(bytes)];
        for (const [index, encoding] of ['identity', 'gzip', 'gzip'].entries()) {
          const status = await post(collector, sent[index] ?? bytes, type, encoding);
          assert(
            HTTP_STATUSES.has(status),
            `${status} for ${bytes.toString('base64').slice(0, 200)} as ${type}`,
          );
        }
      }
    }
    assert.equal(await collector.metric('buffered_bytes'), 0);
    assert(collector.isRunning());
  } finally {
    await collector.remove();
  }
});
