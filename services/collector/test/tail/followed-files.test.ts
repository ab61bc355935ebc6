import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogger } from '@imscope/runtime/logger.js';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import type { FileLines } from '../../src/tail/followed-file.js';
import { FollowedFiles } from '../../src/tail/followed-files.js';
import { createTailMetrics } from '../../src/tail/tail-metrics.js';
import { Positions } from '../../src/spool/tail-position.js';

const SEED = 20_261_126;
/** Small, so that lines are longer than it. */
const BUFFER_BYTES = 600;

/** Reads followed files as the tailer does, and keeps the lines. */
class Reader {
  readonly lines: string[] = [];
  longLines = 0;
  truncations = 0;
  encodings: string[] = [];
  readonly positions = new Positions();
  #serial = 0;
  #files: FollowedFiles;
  readonly #pattern: string;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#files = this.#open();
  }

  #open(): FollowedFiles {
    const files: FollowedFiles = new FollowedFiles({
      patterns: [this.#pattern],
      checkpoint: { positions: this.positions, seen: () => undefined },
      metrics: createTailMetrics(new Registry(), () => []),
      logger: createLogger('tail-test', 'fatal'),
    });
    return files;
  }

  /** Reads everything; with `finish` files that are gone count as finished. */
  async readAll(finish: boolean): Promise<void> {
    await this.#files.scan(performance.now());
    const buffer = Buffer.alloc(BUFFER_BYTES);
    for (const file of this.#files.list) {
      while (await file.checkSize(performance.now())) {
        const lines = await file.read(buffer);
        this.#countChanges(file);
        if (file.begins()) this.positions.note(file.position(0, (this.#serial += 1)));
        if (lines !== undefined) this.#logLines(file, lines);
      }
      this.#countChanges(file);
      if (!finish || file.goneSinceMs === undefined) continue;
      const rest = await file.readRest(buffer);
      if (rest !== undefined) this.#logLines(file, rest);
      await this.#files.drop(file);
    }
  }

  #countChanges(file: FollowedFiles['list'][number]): void {
    this.truncations += file.drainTruncations();
    const encoding = file.drainForeignEncoding();
    if (encoding !== undefined) this.encodings.push(encoding);
  }

  /** Ends without reading more and starts again, like two processes. */
  async restart(): Promise<void> {
    await this.#files.close();
    this.#files = this.#open();
    await this.#files.openRenamed();
  }

  async close(): Promise<void> {
    await this.#files.close();
  }

  #logLines(file: FollowedFiles['list'][number], { bytes, from, afterLongLine }: FileLines): void {
    if (afterLongLine) this.longLines += 1;
    const text = bytes.toString('latin1');
    if (text !== '') this.lines.push(...text.replace(/\n$/, '').split('\n'));
    const end = from + bytes.length;
    this.positions.note(file.position(end, (this.#serial += 1)));
    file.advance(end);
  }
}

type World = {
  readonly path: string;
  readonly reader: Reader;
  readonly written: string[];
  half: string;
  files: number;
};

function inWorld(): { world: World; remove: () => Promise<void> } {
  const directory = mkdtempSync(join(tmpdir(), 'imscope-tail-'));
  const path = join(directory, 'access.log');
  const world = { path, reader: new Reader(path), written: [], half: '', files: 0 };
  const remove = async (): Promise<void> => {
    await world.reader.close();
    rmSync(directory, { recursive: true });
  };
  return { world, remove };
}

let lineNumber = 0;
const newLine = (length: number): string => `${(lineNumber += 1)}-${'x'.repeat(length)}`;

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      lengths: fc.array(fc.oneof({ weight: 8, arbitrary: fc.nat(60) }, fc.nat(3_000)), {
        minLength: 1,
        maxLength: 8,
      }),
      half: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rename' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('copytruncate' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function play(world: World, each: Step): Promise<void> {
  const { path, reader, written } = world;
  if (each.kind === 'append') {
    const lines = each.lengths.map(newLine);
    const bytes = world.half + lines.join('\n') + (each.half ? '' : '\n');
    appendFileSync(path, bytes.slice(world.half.length));
    const whole = bytes.split('\n');
    world.half = whole.pop() ?? '';
    written.push(...whole);
  } else if (each.kind === 'read') await reader.readAll(false);
  else if (each.kind === 'restart') await reader.restart();
  else if (!existsSync(path)) return;
  else if (each.kind === 'rename') {
    // Twice between two looks, and nobody could know of the file between.
    await reader.readAll(true);
    renameSync(path, `${path}.${(world.files += 1)}`);
    finishHalf(world);
  } else if (each.kind === 'delete') {
    await reader.readAll(true);
    rmSync(path);
    // Nobody reads what is deleted and not open.
    await reader.readAll(true);
    finishHalf(world);
  } else {
    // What was not read by then is in the copy only, and a half line is in two files.
    if (world.half !== '') appendFileSync(path, '\n');
    finishHalf(world);
    await reader.readAll(true);
    copyFileSync(path, `${path}.${(world.files += 1)}`);
    truncateSync(path);
  }
}

function finishHalf(world: World): void {
  if (world.half !== '') world.written.push(world.half);
  world.half = '';
}

test('every line is read once, however a file is appended to, rotated and truncated, and its reader restarted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { world, remove } = inWorld();
      try {
        for (const each of steps) await play(world, each);
        await world.reader.readAll(false);
        await world.reader.readAll(true);
        const { lines, longLines } = world.reader;
        const short = (all: readonly string[]) =>
          all.filter((line) => line.length < BUFFER_BYTES - 1).toSorted();
        assert.deepEqual(short(lines), short(world.written));
        const long = world.written.length - short(world.written).length;
        assert.equal(longLines + lines.length - short(lines).length, long, 'long lines are counted');
      } finally {
        await remove();
      }
    }),
    { numRuns: 400, seed: SEED },
  );
});

test('a rewritten file is distinguished from the one before by lines read long before its end', async () => {
  const { world, remove } = inWorld();
  const { path, reader } = world;
  const first = 'a'.repeat(500);
  writeFileSync(path, `${first}\n1\n`);
  await reader.readAll(false);
  appendFileSync(path, '2\n');
  await reader.readAll(false);
  writeFileSync(path, `${first}\n3\n2\n4\n`);
  await reader.readAll(false);
  assert.deepEqual(reader.lines, [first, '1', '2', first, '3', '2', '4']);
  await remove();
});

test('a rewritten file is distinguished from the one before, shorter, longer or of the same length', async () => {
  for (const anew of ['b\n', `${'b'.repeat(300)}\n`, 'bbb\nbbb\n']) {
    const { world, remove } = inWorld();
    const { path, reader } = world;
    writeFileSync(path, 'aaa\naaa\n');
    await reader.readAll(false);
    // In place, so that it is the same inode.
    writeFileSync(path, anew);
    await reader.readAll(false);
    assert.deepEqual(reader.lines, ['aaa', 'aaa', ...anew.trimEnd().split('\n')]);
    await remove();
  }
});

test('a reused inode is another file', async () => {
  const { world, remove } = inWorld();
  const { path, reader } = world;
  writeFileSync(path, 'first\n');
  await reader.readAll(false);
  const [{ inode } = { inode: '' }] = reader.positions.list;
  await reader.restart();
  // The position of another file that had this inode.
  const [position] = reader.positions.list;
  assert(position !== undefined && position.inode === inode);
  reader.positions.note({ ...position, head: 'f'.repeat(64), serial: position.serial + 1 });
  await reader.readAll(false);
  assert.deepEqual(reader.lines, ['first', 'first']);
  await remove();
});

test('a hole of NUL bytes that a writer leaves after a truncation is no line', async () => {
  const { world, remove } = inWorld();
  const { path, reader } = world;
  writeFileSync(path, Buffer.concat([Buffer.alloc(5_000), Buffer.from('after\n')]));
  await reader.readAll(false);
  assert.deepEqual(reader.lines, ['after']);
  assert.equal(readFileSync(path).length, 5_006);
  await remove();
});

/** Lines that begin alike for longer than a file's head is known by. */
const alike = (...ids: string[]): string => ids.map((id) => `${'h'.repeat(300)} ${id}\n`).join('');
const idsOf = (lines: readonly string[]): string[] =>
  lines.map((line) => line.slice(line.lastIndexOf(' ') + 1));

test('a file that was truncated and rewritten with the same beginning is read from its beginning, longer or not', async () => {
  for (const restarts of [false, true]) {
    for (const fresh of [['c'], ['c', 'd'], ['c', 'd', 'e', 'f', 'g']]) {
      const { world, remove } = inWorld();
      const { path, reader } = world;
      writeFileSync(path, alike('a', 'b'));
      await reader.readAll(false);
      if (restarts) await reader.restart();
      // In place, so that it is the same inode.
      writeFileSync(path, alike(...fresh));
      await reader.readAll(false);
      appendFileSync(path, alike('z'));
      await reader.readAll(false);
      assert.deepEqual(idsOf(reader.lines), ['a', 'b', ...fresh, 'z'], `restarts ${restarts}`);
      assert.equal(reader.truncations, 1);
      await remove();
    }
  }
});

test('a file that only grows is read on, however its lines are written, after a restart too', async () => {
  const { world, remove } = inWorld();
  const { path, reader } = world;
  const ids: string[] = [];
  for (const lines of [['a'], ['b', 'c'], ['d'], ['e', 'f', 'g', 'h'], ['i']]) {
    ids.push(...lines);
    const text = alike(...lines);
    // A half line first, as a writer that flushes at any place.
    appendFileSync(path, text.slice(0, 310));
    await reader.readAll(false);
    if (ids.length % 2 === 0) await reader.restart();
    appendFileSync(path, text.slice(310));
    await reader.readAll(false);
  }
  assert.deepEqual([idsOf(reader.lines), reader.truncations], [ids, 0]);
  await remove();
});

test('reading continues from a position that an older version saved', async () => {
  const { world, remove } = inWorld();
  const { path, reader } = world;
  writeFileSync(path, alike('a', 'b'));
  await reader.readAll(false);
  const [position] = reader.positions.list;
  assert(position !== undefined);
  const { before, beforeBytes, ...old } = position;
  assert.deepEqual([before?.length, beforeBytes], [64, 256]);
  reader.positions.forget(old.inode);
  reader.positions.note(old);
  await reader.restart();
  appendFileSync(path, alike('c'));
  await reader.readAll(false);
  // What it lacked is known again.
  writeFileSync(path, alike('d', 'e', 'f', 'g'));
  await reader.readAll(false);
  assert.deepEqual(idsOf(reader.lines), ['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  await remove();
});

test('a byte order mark at the beginning of a file is not part of its first line, elsewhere it is content', async () => {
  const mark = '\uFEFF';
  const { world, remove } = inWorld();
  const { path, reader } = world;
  writeFileSync(path, mark);
  await reader.readAll(false);
  appendFileSync(path, `a\n${mark}b\n`);
  await reader.readAll(false);
  await reader.restart();
  await reader.readAll(false);
  renameSync(path, `${path}.1`);
  writeFileSync(path, `${mark}c\n`);
  await reader.readAll(true);
  // Cut off and written again.
  writeFileSync(path, `${mark}d\ne\n`);
  await reader.readAll(false);
  const content = Buffer.from(`${mark}b`).toString('latin1');
  assert.deepEqual(reader.lines, ['a', content, 'c', 'd', 'e']);
  await remove();
});

test('a file in UTF-16 is reported as such', async () => {
  for (const [bytes, name] of [
    [Buffer.from('\uFEFF{"a":1}\n', 'utf16le'), 'UTF-16LE'],
    [Buffer.from('{"a":1}\n', 'utf16le').swap16(), 'UTF-16BE'],
  ] as const) {
    const { world, remove } = inWorld();
    writeFileSync(world.path, bytes);
    await world.reader.readAll(false);
    assert.deepEqual(world.reader.encodings, [name]);
    await remove();
  }
});
