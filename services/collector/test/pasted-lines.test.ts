/*
 * The lines that documents give to paste, run as they stand there but for the address.
 */
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

/** Runs the block of shell in a document that has `word` in it; the answer of its curl. */
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

test('the OTLP request of docs/opentelemetry.md is taken whole', async () => {
  assert.deepEqual(await paste('docs/opentelemetry.md', '/v1/logs'), {});
  const [record] = (await collector.messages()).flatMap(({ records }) => records);
  assert.deepEqual([record?.interface, record?.node, record?.outcome], ['openim/sendmsg', 'gw-1', 'success']);
});

test('an Avro file that avsc wrote is taken by the line of the README', async () => {
  await pipeline(
    Readable.from([storedRecord({ time: Date.now() })]),
    new avro.streams.BlockEncoder(REQUEST_LOG_SCHEMA.type, { codec: 'deflate' }),
    createWriteStream(join(directory, 'requests.avro')),
  );
  const answer = (await paste('README.md', '@requests.avro')) as { accepted: number };
  assert.equal(answer.accepted, 1);
});
