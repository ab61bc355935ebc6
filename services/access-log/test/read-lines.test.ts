import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { LINE_BYTES_MAX, type Line, readLines } from '../src/read-lines.js';

async function linesOf(chunks: AsyncIterable<Buffer> | Buffer[]): Promise<Line[]> {
  const lines: Line[] = [];
  const source = Array.isArray(chunks) ? Readable.from(chunks) : chunks;
  for await (const line of readLines(source as AsyncIterable<Buffer>)) lines.push(line);
  return lines;
}

test('lines are the same however their bytes come in', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n', '\r', '张', ' '), maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(200), { maxLength: 10 }), async (content, cuts) => {
      const bytes = Buffer.from(content);
      const places = [
        0,
        ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b),
        bytes.length,
      ];
      const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      const expected = content.split('\n').map((line) => line.replace(/\r$/, ''));
      if (content === '' || content.endsWith('\n')) expected.pop();
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
