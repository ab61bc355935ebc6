/*
 * Sends allowed, doubtful and hostile values in every parameter of every operation of the query service and the
 * collector, as their OpenAPI documents describe them. The seed is fixed, so that runs are repeatable;
 * IMSCOPE_TEST_SEED sets another.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Tokens } from '../api-properties/requests.js';
import { tryApi } from '../api-properties/try-api.js';
import { peakResidentBytes } from '../bench/process-usage.js';
import { type Pipeline, startPipeline } from '../pipeline/pipeline.js';

const MIB = 1 << 20;
const SEED = Number(process.env['IMSCOPE_TEST_SEED'] ?? 20_261_128);
/** For one place: a parameter, a body format, the path … */
const REQUESTS_PER_ROUND = 2;
const ROUNDS_MIN = 3;
const ROUNDS_MAX = 30;
const TIME_MS = 25_000;
/** Bound of a process's peak resident memory. Node.js itself needs about 100 MB. */
const RESIDENT_BYTES_MAX = 500 * MIB;

let pipeline: Pipeline;

before(async () => {
  pipeline = await startPipeline();
});
after(() => pipeline.end());

async function holds(name: 'query' | 'collector', serviceUrl: string, tokens: Tokens): Promise<void> {
  const bounds = {
    requestsPerRound: REQUESTS_PER_ROUND,
    roundsMin: ROUNDS_MIN,
    roundsMax: ROUNDS_MAX,
    timeMs: TIME_MS,
  };
  const { places, rounds, requests, accepted, faults } = await tryApi({
    serviceUrl,
    tokens,
    seed: SEED,
    ...bounds,
  });
  const residentBytes = peakResidentBytes(pipeline.process(name).pid);
  const mib = Math.round(residentBytes / MIB);
  console.log(
    `${name}: seed ${SEED}, ${requests} requests to ${places} places in ${rounds} rounds, ${accepted} accepted, at most ${mib} MiB resident`,
  );
  assert.ok(accepted > places, `only ${accepted} requests were accepted`);
  assert.equal(faults.length, 0, `\n${faults.join('\n')}`);
  assert.ok(residentBytes < RESIDENT_BYTES_MAX, `${residentBytes} bytes were resident`);
  assert.equal(await pipeline.lacks(name), undefined);
}

test('the collector answers every request as its OpenAPI document says', async () => {
  const { writeToken, readToken } = pipeline.credentials;
  await holds('collector', pipeline.collectorUrl, { write: writeToken, requests: readToken });
});

test('the query service answers every request as its OpenAPI document says', async () => {
  await holds('query', pipeline.queryUrl, { bearer: pipeline.credentials.readToken });
});
