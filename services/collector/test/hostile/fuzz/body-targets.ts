/* A body's whole way to records that can be encoded, in each of its formats. */
import assert from 'node:assert/strict';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { BlockBuilder } from '@imscope/schemas/block-builder.js';
import { NO_APPLICATION_SETTINGS } from '@imscope/access/application-settings.js';
import { singleLane } from '@imscope/schemas/lanes.js';
import { REQUEST_LOG_ENCODER } from '@imscope/schemas/request-log-encoder.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import fc from 'fast-check';
import { Batch } from '../../../src/batches/batch.js';
import { acceptBody } from '../../../src/bodies/accept-body.js';
import type { BodyFormat } from '../../../src/bodies/read-body.js';
import { REJECT_REASONS } from '../../../src/intake/reject-reasons.js';
import { ApplicationLimits } from '../../../src/limits/application-limits.js';
import { SAMPLE_TIME_MS, sampleRecord, storedRecord } from '../../sample-record.js';
import { mutated, pieced } from './inputs.js';
import type { FuzzTarget } from './target.js';

const INFLATED_MAX = 1 << 20;
const RECORDS = 20;
const WORDS = new Set(['taken', 'empty_body', 'unreadable_body', 'unsupported_encoding', 'body_too_large']);
const GRANT = {
  name: 'fuzz',
  scope: 'write',
  applications: 'all',
  tokenHash: '',
  recordsPerSecondMax: Number.POSITIVE_INFINITY,
  expiresMs: Number.POSITIVE_INFINITY,
} as const;

const limits = new ApplicationLimits({
  lookUp: () => NO_APPLICATION_SETTINGS,
  refusalOf: () => undefined,
  random: () => 0.5,
});
const [lane] = singleLane(1).lanes;
assert(lane !== undefined);
const batch = new Batch(lane, Number.POSITIVE_INFINITY);

/** What it was answered; every record that was taken has been encoded. */
function takeBody(bytes: Buffer, format: BodyFormat): string {
  const builder = new BlockBuilder(REQUEST_LOG_SCHEMA, REQUEST_LOG_ENCODER);
  let held = 0;
  let taken = 0;
  try {
    const intake = acceptBody(
      { bytes, format },
      { inflatedBytesMax: INFLATED_MAX, reserve: (more) => void (held += more) },
      {
        grant: GRANT,
        limits: limits.forRequest(0),
        nowMs: SAMPLE_TIME_MS,
        lateMsMax: 86_400_000,
        allOrNothing: false,
        watch: undefined,
        append: (record) => {
          builder.append(record);
          taken += 1;
          for (const text of [record.cause, record.exception, record.interface, record.region]) {
            assert(text.isWellFormed() && !text.includes('\0'), 'a text that cannot be stored');
          }
          assert(record.cause.length <= REQUEST_LOG_BOUNDS.causeLengthMax, 'a cause beyond its bound');
          assert(Number.isInteger(record.time) && Number.isInteger(record.latency_us), 'a fraction');
          return batch;
        },
        countOnly: () => assert.fail('nothing is sampled here'),
      },
    );
    assert.equal(intake.accepted, taken);
    assert(held <= INFLATED_MAX, 'more held than may be');
    for (const reason of intake.rejectedByReason.keys()) assert(reason in REJECT_REASONS, reason);
    for (const { detail } of intake.rejected) assert(detail.length < 1_000, 'a detail without bound');
    return 'taken';
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    assert.equal(taken, 0, 'refused whole, and yet something was taken');
    return error.code;
  }
}

const records = Array.from({ length: RECORDS }, (_, n) => sampleRecord({ request_id: `fuzz-${n}` }));
const json = Buffer.from(JSON.stringify(records));
const ndjson = Buffer.from(records.map((record) => JSON.stringify(record)).join('\n'));
const avro = ((): Buffer => {
  const builder = new BlockBuilder(REQUEST_LOG_SCHEMA);
  for (let n = 0; n < RECORDS; n++) builder.append(storedRecord({ cause: `timeout ${n}` }));
  return builder.finish();
})();
const values = fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text));
/** Records whose fields hold anything JSON can say. */
const odd = fc
  .dictionary(fc.constantFrom(...Object.keys(sampleRecord()), '__proto__', 'identifier'), fc.jsonValue())
  .map((changes) => Buffer.from(JSON.stringify([sampleRecord(changes)])));

export const BODY_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'json',
    inputs: fc.oneof(mutated([json]), values, odd, pieced(60)),
    run: (input) => takeBody(input, 'json'),
    words: WORDS,
    ordinary: json,
  },
  {
    name: 'ndjson',
    inputs: fc.oneof(mutated([ndjson]), values, odd, pieced(60)),
    run: (input) => takeBody(input, 'ndjson'),
    words: WORDS,
    ordinary: ndjson,
  },
  {
    name: 'avro',
    inputs: fc.oneof(mutated([avro]), fc.uint8Array({ maxLength: 300 }).map(behindHeader)),
    run: (input) => takeBody(input, 'avro'),
    words: WORDS,
    ordinary: avro,
  },
];

function behindHeader(bytes: Uint8Array): Buffer {
  return Buffer.concat([new BlockBuilder(REQUEST_LOG_SCHEMA).finish(), bytes]);
}
