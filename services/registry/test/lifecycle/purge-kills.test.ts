/* A process that purges is killed at every checkpoint, one after another; the next process goes on. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readNewestCertificate } from '../../src/lifecycle/purge-certificate.js';
import type { KilledPurge } from './killed-purge.js';
import {
  APPLICATION,
  type Backend,
  BACKENDS,
  type LifecycleUnderTest,
  noticeKinds,
  openLifecycle,
  PURGE_MS,
  WITHIN_MS,
} from './lifecycle-under-test.js';
import { terminateFilled, TRACES } from './purged-application.js';
import { tracesOf } from './traces.js';

const PROGRAM = fileURLToPath(new URL('killed-purge.ts', import.meta.url));

/** @returns the signal that ended it, null where none did, and the checkpoints it came to */
async function purgeInProcess(given: KilledPurge): Promise<{ signal: string | null; checkpoints: string[] }> {
  const args = ['--conditions=imscope-source', '--import', 'tsx', PROGRAM, JSON.stringify(given)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code, signal]: (string | number | null)[] = await once(child, 'close');
  if (signal === null) assert.equal(code, 0);
  return { signal: signal === null ? null : String(signal), checkpoints: output.trimEnd().split('\n') };
}

const CHECKPOINTS = [
  'distribution: begin',
  'distribution: found',
  'distribution: not recorded',
  'trtc: begin',
  'trtc: not recorded',
  'documents: begin',
  'documents: found',
  'documents: not recorded',
  'objects: begin',
  'objects: found',
  'objects: not recorded',
  'telemetry: begin',
  'telemetry: not recorded',
  'rows: begin',
  'rows: tombstone written',
  'rows: not committed',
];
/** Where something was deleted that another place still holds. */
const KILLS_OF_INTEGRATED = [
  'documents: found',
  'objects: found',
  'rows: tombstone written',
  'rows: not committed',
];
const KILLS: Readonly<Record<Backend, readonly string[]>> = {
  embedded: CHECKPOINTS,
  integrated: KILLS_OF_INTEGRATED,
};

async function assertPurged(registry: LifecycleUnderTest): Promise<void> {
  const certificate = await readNewestCertificate(registry.database.kysely, APPLICATION);
  assert.equal(certificate?.completed_at, new Date(PURGE_MS).toISOString());
  const counts = certificate?.places.map(({ place, state, deleted }) => [place, state, deleted]);
  assert.deepEqual(counts?.slice(0, 5), [
    ['distribution', 'done', 3],
    ['trtc', 'done', 1],
    ['documents', 'done', 2],
    ['objects', 'done', 4],
    ['telemetry', 'not_used', 0],
  ]);
  for (const trace of TRACES) assert.deepEqual(await tracesOf(registry, trace), [], trace);
  assert.equal((await noticeKinds(registry)).filter((kind) => kind === 'purged').length, 1);
}

for (const backend of BACKENDS) {
  test(`${backend}: a purge that nobody kills passes these checkpoints`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await terminateFilled(registry);
    const { places } = registry;
    const given = { ...places, nowMs: PURGE_MS, withinMs: WITHIN_MS, killAt: null };
    assert.deepEqual(await purgeInProcess(given), { signal: null, checkpoints: CHECKPOINTS });
    await assertPurged(registry);
  });

  for (const killAt of KILLS[backend]) {
    test(`${backend}: a purge that is killed at "${killAt}" is completed by the next process`, async (t) => {
      const registry = await openLifecycle(t, backend);
      await terminateFilled(registry);
      const { places } = registry;
      const { signal } = await purgeInProcess({ ...places, nowMs: PURGE_MS, withinMs: WITHIN_MS, killAt });
      assert.equal(signal, 'SIGKILL');
      const open = await readNewestCertificate(registry.database.kysely, APPLICATION);
      assert.equal(open?.completed_at, null);
      await registry.pass();
      await assertPurged(registry);
    });
  }
}
