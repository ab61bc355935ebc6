/* Damaged files and files in other encodings: how much of them is read, and the messages. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import { readLines } from '@imscope/access-log/read-lines.js';
import fc from 'fast-check';
import { openInput, ReadError } from '../src/open-input.js';
import type { SendSummary } from '../src/send-summary.js';
import { UsageError } from '../src/command/usage-error.js';
import { startFakeCollector } from './fake-collector.js';
import { runCommand } from './run-command.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-damaged-'));
after(() => rmSync(directory, { recursive: true }));

type Read = { readonly lines: string[]; readonly fault: string | undefined };

/** Reads it in chunks of `chunkBytes`, as from a pipe. */
async function read(bytes: Buffer, chunkBytes = 1_000): Promise<Read> {
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, index) =>
    bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
  const input = await openInput('-', Readable.from(chunks));
  const lines: string[] = [];
  try {
    for await (const { text } of readLines(input.bytes)) lines.push(text ?? '(too long)');
    return { lines, fault: input.trailing() };
  } catch (error) {
    assert.ok(error instanceof ReadError, String(error));
    return { lines, fault: error.message };
  }
}

const linesOf = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `line ${from + index} ${(index * 7_919) % 1_009}`);
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

test('bytes after the last gzip member lose none of its lines, and their number is reported', async () => {
  for (const count of [1, 3, 3_000, 50_000]) {
    const lines = linesOf(count);
    const packed = gzipSync(textOf(lines));
    const got = await read(Buffer.concat([packed, Buffer.from('trailing bytes\n')]));
    assert.deepEqual(got.lines, lines);
    assert.match(got.fault ?? '', /^15 bytes after the last gzip member.*begin with "trailing bytes\\n"/);
    assert.ok(got.fault?.includes(`from byte ${packed.length} on`));
  }
});

test('a last line without a line break counts even if bytes follow its member', async () => {
  const got = await read(Buffer.concat([gzipSync('a\nb'), Buffer.from([0, 0, 1])]));
  assert.deepEqual(got.lines, ['a', 'b']);
  assert.match(got.fault ?? '', /^1 bytes after/);
});

test('zeros after a member are padding, also between members', async () => {
  const zeros = Buffer.alloc(10_240);
  const packed = [gzipSync('a\n'), zeros, gzipSync('b\n'), gzipSync('', { level: 0 }), zeros];
  assert.deepEqual(await read(Buffer.concat(packed)), { lines: ['a', 'b'], fault: undefined });
});

test('members with names, comments, extra fields and checksums in their headers are read', async () => {
  const packed = gzipSync('a\n');
  const header = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 4 | 8 | 16 | 2, 0, 0, 0, 0, 0, 3, 3, 0]),
    Buffer.from('xyz'),
    Buffer.from('access.log\0a comment\0'),
    Buffer.from([1, 2]),
  ]);
  const named = Buffer.concat([header, packed.subarray(10)]);
  for (const chunkBytes of [1, 7, 1_000]) {
    const got = await read(Buffer.concat([named, named]), chunkBytes);
    assert.deepEqual(got, { lines: ['a', 'a'], fault: undefined });
  }
});

test('a wrong checksum, an incomplete member and a damaged one are reported after all lines before them', async () => {
  const lines = linesOf(5_000);
  const packed = gzipSync(textOf(lines));
  const wrong = Buffer.from(packed);
  wrong.writeUInt32LE(7, packed.length - 8);
  const checksum = await read(Buffer.concat([wrong, gzipSync('later\n')]));
  assert.deepEqual(checksum.lines, lines);
  assert.match(
    checksum.fault ?? '',
    /checksum of the gzip member from byte 0 on.*bytes from byte \d+ on were not read/,
  );

  for (const end of [packed.length - 3, packed.length - 8]) {
    const cutInChecksum = await read(packed.subarray(0, end));
    assert.deepEqual(cutInChecksum.lines, lines);
    assert.match(cutInChecksum.fault ?? '', /cut off/);
  }
  const cut = await read(packed.subarray(0, packed.length / 2));
  assert.deepEqual(cut.lines, lines.slice(0, cut.lines.length));
  assert.ok(cut.lines.length > 1_000);
  assert.match(cut.fault ?? '', /cut off; 0 bytes from byte \d+ on were not read/);

  const header = await read(Buffer.concat([packed, Buffer.from([0x1f, 0x8b, 9, 0, 0, 0, 0, 0, 0, 0, 1])]));
  assert.deepEqual(header.lines, lines);
  assert.match(header.fault ?? '', /gzip header at byte \d+/);
});

test('a damaged member is read up to the damage', async () => {
  // Stored blocks, so that the position of the damage in the content is known.
  const lines = linesOf(60_000);
  const text = textOf(lines);
  const stored = gzipSync(text, { level: constants.Z_NO_COMPRESSION });
  // The second block's length no longer agrees with its complement.
  const second = 10 + 5 + stored.readUInt16LE(11);
  const damaged = Buffer.from(stored);
  damaged.writeUInt16LE(damaged.readUInt16LE(second + 1) ^ 1, second + 1);
  const got = await read(damaged);
  const completeLines = text.slice(0, stored.readUInt16LE(11)).split('\n').slice(0, -1);
  // Nothing is read from the 16 bytes with the fault.
  assert.ok(
    got.lines.length >= completeLines.length - 2 && got.lines.length <= completeLines.length,
    String(got.lines.length),
  );
  assert.deepEqual(got.lines, lines.slice(0, got.lines.length));
  assert.match(got.fault ?? '', /damaged \(invalid stored block lengths\)/);
});

test('a small damaged member is read up to the damage too', async () => {
  const lines = linesOf(300);
  const content = deflateRawSync(textOf(lines), { finishFlush: constants.Z_SYNC_FLUSH });
  // The header of a block with a type that does not exist.
  const damaged = Buffer.concat([gzipSync('').subarray(0, 10), content, Buffer.from([0x07])]);
  const got = await read(damaged);
  // Nothing is read from the 16 compressed bytes with the fault.
  assert.ok(got.lines.length >= lines.length - 16, String(got.lines.length));
  assert.deepEqual(got.lines, lines.slice(0, got.lines.length));
  assert.match(got.fault ?? '', /damaged \(invalid block type\)/);
});

test('random members in random chunks are decompressed to the original bytes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.stringMatching(/^[a-z]{0,30}$/), { maxLength: 30 }), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.integer({ min: 1, max: 200 }),
      async (members, chunkBytes) => {
        const packed = Buffer.concat(members.map((lines) => gzipSync(textOf(lines))));
        assert.deepEqual(await read(packed, chunkBytes), { lines: members.flat(), fault: undefined });
      },
    ),
    { numRuns: 60 },
  );
});

test('a byte order mark at the beginning of a file is dropped, elsewhere it is content', async () => {
  const mark = '\uFEFF';
  const plain = Buffer.from(`${mark}a\n${mark}b\n`);
  for (const bytes of [plain, gzipSync(plain)]) {
    for (const chunkBytes of [1, 1_000]) {
      assert.deepEqual((await read(bytes, chunkBytes)).lines, ['a', `${mark}b`]);
    }
  }
  assert.deepEqual((await read(Buffer.from(mark))).lines, []);
  assert.deepEqual((await read(Buffer.from(`${mark}${mark}a`))).lines, [`${mark}a`]);
  assert.deepEqual((await read(Buffer.from('ab'))).lines, ['ab']);
});

test('a file in another encoding or compression is refused by its name', async () => {
  const utf16 = Buffer.from('\uFEFF{"time":1}\n', 'utf16le');
  const big = Buffer.from(utf16).swap16();
  for (const [bytes, expected] of [
    [utf16, /is UTF-16LE, only UTF-8 is read: iconv -f UTF-16LE/],
    [utf16.subarray(2), /is UTF-16LE/],
    [big, /is UTF-16BE/],
    [big.subarray(2), /is UTF-16BE/],
    [gzipSync(utf16), /is UTF-16LE/],
    [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0]), /packed with zstd.*zstdcat/],
    [Buffer.from('BZh91AY'), /packed with bzip2/],
    [Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0]), /packed with xz/],
  ] as const) {
    const input = await openInput('-', Readable.from([bytes]));
    await assert.rejects(
      async () => {
        for await (const line of readLines(input.bytes)) assert.fail(line.text);
      },
      (error) => error instanceof UsageError && expected.test(error.message),
    );
  }
  const holes = Buffer.concat([Buffer.alloc(100), Buffer.from('a\n')]);
  assert.equal((await read(holes)).lines.length, 1);
});

function recordLine(id: number): string {
  return JSON.stringify({
    time: 1_700_000_000_000 + id,
    sdk_app_id: 5,
    interface: 'openim/sendmsg',
    exit_ip: '192.0.2.1',
    latency_ms: 1,
    request_id: String(id),
  });
}

async function send(bytes: Buffer, ...more: string[]) {
  const file = join(directory, 'requests.ndjson');
  writeFileSync(file, bytes);
  const collector = await startFakeCollector();
  try {
    const to = ['--format', 'ndjson', '--collector', collector.url, '--json', ...more];
    const ended = await runCommand(['send', file, ...to]);
    const summary = ended.stdout === '' ? undefined : (JSON.parse(ended.stdout) as SendSummary);
    return { ...ended, summary, accepted: collector.accepted.length };
  } finally {
    await collector.stop();
  }
}

test('all records before trailing bytes are sent, also with a shift, and the exit code is that of an early end', async () => {
  const lines = Array.from({ length: 3_000 }, (_, id) => recordLine(id));
  const packed = Buffer.concat([gzipSync(textOf(lines)), Buffer.from('trailing bytes\n')]);
  for (const more of [[], ['--shift-to-now']]) {
    const { code, summary, accepted } = await send(packed, ...more);
    assert.deepEqual([code, summary?.read, summary?.accepted, accepted], [1, 3_000, 3_000, 3_000]);
    assert.match(
      summary?.ended_early ?? '',
      /rest of the file cannot be read: 15 bytes after the last gzip member/,
    );
  }
});

test('the first record of a file with a byte order mark is sent, and nothing of one in UTF-16', async () => {
  const text = `\uFEFF${recordLine(1)}\r\n${recordLine(2)}\r\n`;
  const marked = await send(Buffer.from(text));
  assert.deepEqual([marked.code, marked.summary?.accepted, marked.accepted], [0, 2, 2]);
  const wide = await send(Buffer.from(text, 'utf16le'));
  assert.deepEqual([wide.code, wide.accepted], [2, 0]);
  assert.match(wide.stderr, /is UTF-16LE/);
});
