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
import type { Stretch } from '../../src/tail/followed-file.js';
import { FollowedFiles } from '../../src/tail/followed-files.js';
import { createTailMetrics } from '../../src/tail/tail-metrics.js';
import { Positions } from '../../src/tail/tail-position.js';

const SEED = 20_261_126;
/** Small, so that lines are longer than it. */
const BUFFER_BYTES = 600;

/** Reads what is followed as the tailer does, and keeps the lines. */
class Reader {
  readonly lines: string[] = [];
  longLines = 0;
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

  /** Everything there is now; files that are gone are finished with `finish`. */
  async readAll(finish: boolean): Promise<void> {
    await this.#files.scan(performance.now());
    const buffer = Buffer.alloc(BUFFER_BYTES);
    for (const file of this.#files.list) {
      while (await file.look(performance.now())) {
        const stretch = await file.read(buffer);
        if (file.begins()) this.positions.note(file.position(0, (this.#serial += 1)));
        if (stretch !== undefined) this.#take(file, stretch);
      }
      if (!finish || file.goneSinceMs === undefined) continue;
      const rest = await file.readRest(buffer);
      if (rest !== undefined) this.#take(file, rest);
      await this.#files.drop(file);
    }
  }

  /** As a process that ends, with nothing more read, and one that begins. */
  async restart(): Promise<void> {
    await this.#files.close();
    this.#files = this.#open();
    await this.#files.openRenamed();
  }

  async close(): Promise<void> {
    await this.#files.close();
  }

  #take(file: FollowedFiles['list'][number], { bytes, from, behindLongLine }: Stretch): void {
    if (behindLongLine) this.longLines += 1;
    const text = bytes.toString('latin1');
    if (text !== '') this.lines.push(...text.replace(/\n$/, '').split('\n'));
    const end = from + bytes.length;
    this.positions.note(file.position(end, (this.#serial += 1)));
    file.take(end);
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

test('every line is read once, however a file is appended to, rotated, cut off, and its reader restarted', async () => {
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

test('a file written anew is told from the one before, be it shorter, longer or of the same length', async () => {
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

test('an inode that is used again by another file is another file', async () => {
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

test('a hole of NUL bytes that a writer leaves behind a cut is no line', async () => {
  const { world, remove } = inWorld();
  const { path, reader } = world;
  writeFileSync(path, Buffer.concat([Buffer.alloc(5_000), Buffer.from('after\n')]));
  await reader.readAll(false);
  assert.deepEqual(reader.lines, ['after']);
  assert.equal(readFileSync(path).length, 5_006);
  await remove();
});
