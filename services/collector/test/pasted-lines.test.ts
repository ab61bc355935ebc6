/* Runs the curl commands of the documents as they are written, except for the address. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import avro from 'avsc';
import { runCollector, type RunningCollector, WRITE_TOKEN } from './running-collector.js';
import { storedRecord } from './sample-record.js';

const run = promisify(execFile);
let collector: RunningCollector;
let directory: string;

before(async () => {
  collector = await runCollector();
  directory = await mkdtemp(join(tmpdir(), 'imscope-pasted-'));
});

after(async () => {
  await collector.remove();
  await rm(directory, { recursive: true });
});

/** Runs the first shell block of a document that contains `word`, and returns the answer of its curl. */
async function paste(document: string, word: string): Promise<unknown> {
  const text = await readFile(new URL(`../${document}`, import.meta.url), 'utf8');
  const blocks = Array.from(text.matchAll(/^```sh\n(curl [\s\S]*?)^```/gm), ([, block = '']) => block);
  const block = blocks.find((one) => one.includes(word));
  assert(block !== undefined, `no curl with ${word} in ${document}`);
  const line = block.replace('http://127.0.0.1:8088', new URL(collector.url).origin);
  const environment = { PATH: process.env['PATH'], TOKEN: WRITE_TOKEN };
  const { stdout } = await run('bash', ['-c', line], { cwd: directory, env: environment });
  return JSON.parse(stdout);
}

test('the OTLP request of docs/opentelemetry.md is accepted without refused records', async () => {
  assert.deepEqual(await paste('docs/opentelemetry.md', '/v1/logs'), {});
  const [record] = (await collector.messages()).flatMap(({ records }) => records);
  assert.deepEqual([record?.interface, record?.node, record?.outcome], ['openim/sendmsg', 'gw-1', 'success']);
});

test('an Avro file that avsc wrote is accepted with the command of docs/http-api.md', async () => {
  await pipeline(
    Readable.from([storedRecord({ time: Date.now() })]),
    new avro.streams.BlockEncoder(REQUEST_LOG_SCHEMA.type, { codec: 'deflate' }),
    createWriteStream(join(directory, 'requests.avro')),
  );
  const answer = (await paste('docs/http-api.md', '@requests.avro')) as { accepted: number };
  assert.equal(answer.accepted, 1);
});

test('the request of the README is accepted', async () => {
  const answer = (await paste('README.md', '/v1/request-logs')) as { accepted: number };
  assert.equal(answer.accepted, 1);
});
