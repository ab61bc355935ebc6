import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Line, readLines } from '@imscope/access-log/read-lines.js';
import { openInput, ReadError } from '../src/open-input.js';
import { UsageError } from '../src/command/usage-error.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-lines-'));
after(() => rmSync(directory, { recursive: true }));

async function linesOf(chunks: AsyncIterable<Buffer>): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const line of readLines(chunks)) lines.push(line);
  return lines;
}

const texts = async (path: string, stdin: Readable) =>
  (await linesOf((await openInput(path, stdin)).bytes)).map(({ text }) => text);

test('gzip is recognised by its bytes, from a file or a pipe, with several members too', async () => {
  const packed = Buffer.concat([gzipSync('a\nb\n'), gzipSync('c\n')]);
  const file = join(directory, 'rotated.1');
  writeFileSync(file, packed);
  const plain = join(directory, 'plain.gz');
  writeFileSync(plain, 'a\nb\nc\n');
  assert.deepEqual(await texts(file, Readable.from([])), ['a', 'b', 'c']);
  assert.deepEqual(await texts(plain, Readable.from([])), ['a', 'b', 'c']);
  assert.deepEqual(await texts('-', Readable.from([packed.subarray(0, 1), packed.subarray(1)])), [
    'a',
    'b',
    'c',
  ]);
  assert.deepEqual(await texts('-', Readable.from([])), []);
});

test('incomplete gzip is an error after its complete lines', async () => {
  const packed = gzipSync(Array.from({ length: 50_000 }, (_, index) => `line ${index * 7_919}`).join('\n'));
  const file = join(directory, 'cut.gz');
  writeFileSync(file, packed.subarray(0, packed.length - 20));
  const input = await openInput(file, Readable.from([]));
  let read = 0;
  await assert.rejects(async () => {
    for await (const line of readLines(input.bytes)) read = line.number;
  }, ReadError);
  assert.ok(read > 1_000);
});

test('an unreadable file is reported before anything is sent', async () => {
  await assert.rejects(openInput(join(directory, 'none'), Readable.from([])), UsageError);
  await assert.rejects(openInput(directory, Readable.from([])), /is a folder/);
});
