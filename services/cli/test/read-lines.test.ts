import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { openInput, ReadError } from '../src/open-input.js';
import { LINE_BYTES_MAX, type Line, readLines } from '../src/read-lines.js';
import { UsageError } from '../src/usage-error.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-lines-'));
after(() => rmSync(directory, { recursive: true }));

async function linesOf(chunks: AsyncIterable<Buffer> | Buffer[]): Promise<Line[]> {
  const lines: Line[] = [];
  const source = Array.isArray(chunks) ? Readable.from(chunks) : chunks;
  for await (const line of readLines(source as AsyncIterable<Buffer>)) lines.push(line);
  return lines;
}

test('lines are the same however their bytes come in', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n', '\r', '张', ' '), maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(200), { maxLength: 10 }), async (whole, cuts) => {
      const bytes = Buffer.from(whole);
      const places = [
        0,
        ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b),
        bytes.length,
      ];
      const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      const expected = whole.split('\n').map((line) => line.replace(/\r$/, ''));
      if (whole === '' || whole.endsWith('\n')) expected.pop();
      assert.deepEqual(
        await linesOf(chunks),
        expected.map((line, index) => ({ number: index + 1, text: line })),
      );
    }),
  );
});

test('a line over the bound is counted, let go, and its neighbours stay', async () => {
  const most = 'x'.repeat(LINE_BYTES_MAX);
  const bytes = Buffer.from(`a\n${most}x\nb\n${most}\r\n${most.repeat(20)}\nc`);
  for (const size of [1_000, 65_537, bytes.length]) {
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
    const lines = await linesOf(chunks);
    assert.deepEqual(
      lines.map(({ number, text }) => [number, text === undefined ? 'too long' : text.length]),
      [
        [1, 1],
        [2, 'too long'],
        [3, 1],
        [4, LINE_BYTES_MAX],
        [5, 'too long'],
        [6, 1],
      ],
    );
  }
});

const texts = async (path: string, stdin: Readable) =>
  (await linesOf((await openInput(path, stdin)).bytes)).map(({ text }) => text);

test('gzip is told by its bytes, from a file or a pipe, several members too', async () => {
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

test('gzip that is cut off is an error after its whole lines', async () => {
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

test('what is no readable file is said before anything is sent', async () => {
  await assert.rejects(openInput(join(directory, 'none'), Readable.from([])), UsageError);
  await assert.rejects(openInput(directory, Readable.from([])), /is a folder/);
});
