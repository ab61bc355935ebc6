import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PURGE_PLACES, type PurgeCertificate } from '@imscope/schemas/registry-api/records.js';
import { countLatePurges } from '../../src/lifecycle/late-purges.js';
import { readCertificates, readNewestCertificate } from '../../src/lifecycle/purge-certificate.js';
import { readTombstones } from '../../src/lifecycle/tombstones.js';
import {
  APPLICATION,
  BACKENDS,
  DAY_MS,
  type LifecycleUnderTest,
  noticeKinds,
  openLifecycle,
  PURGE_MS,
  START_MS,
  WITHIN_MS,
} from './lifecycle-under-test.js';
import { confirmTrtc, terminateFilled, TRACES } from './purged-application.js';
import { tracesOf } from './traces.js';

const text = (ms: number): string => new Date(ms).toISOString();

async function certificateOf({ database }: LifecycleUnderTest): Promise<PurgeCertificate> {
  const certificate = await readNewestCertificate(database.kysely, APPLICATION);
  assert.ok(certificate !== undefined);
  return certificate;
}

const statesOf = ({ places }: PurgeCertificate) =>
  Object.fromEntries(places.map(({ place, state }) => [place, state]));

const objects = async (): Promise<never> => {
  throw new Error('the bucket does not answer');
};

for (const backend of BACKENDS) {
  test(`${backend}: a purge leaves nothing of the application but its SDKAppID`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await terminateFilled(registry);
    for (const trace of TRACES) assert.notDeepEqual(await tracesOf(registry, trace), [], trace);
    assert.deepEqual(await registry.pass(), { notices: 0, begun: 1, completed: 1 });
    for (const trace of TRACES) assert.deepEqual(await tracesOf(registry, trace), [], trace);
    // Without the audit, notices, certificate and tombstone nothing names it. The outbox holds its notices.
    const left = await tracesOf(registry, String(APPLICATION));
    assert.deepEqual(
      left.filter((one) => one.startsWith('tombstones/')),
      [`tombstones/${APPLICATION}-${PURGE_MS}.json`],
    );
    assert.deepEqual(
      left.filter((one) => !one.startsWith('tombstones/')),
      ['audit', 'outbox', 'entry', 'notice', 'purge', 'purge_place', 'tombstone'],
    );
    const entry = await registry.database.kysely
      .selectFrom('entry')
      .select('entry')
      .where('entry_key', '=', `application/${APPLICATION}`)
      .executeTakeFirstOrThrow();
    assert.equal(entry.entry, null, 'only the deletion itself is distributed');
  });

  test(`${backend}: the certificate says what was deleted where and when`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await terminateFilled(registry);
    registry.clock.nowMs = PURGE_MS + 60_000;
    await registry.pass();
    const { places, ...certificate } = await certificateOf(registry);
    assert.deepEqual(certificate, {
      sdk_app_id: APPLICATION,
      terminated_at: text(START_MS),
      due_at: text(PURGE_MS),
      latest_at: text(PURGE_MS + WITHIN_MS),
      started_at: text(PURGE_MS + 60_000),
      completed_at: text(PURGE_MS + 60_000),
      backups_expire_at: null,
    });
    assert.deepEqual(
      places.map(({ place }) => place),
      PURGE_PLACES,
    );
    const counts = Object.fromEntries(places.map(({ place, state, deleted }) => [place, [state, deleted]]));
    assert.deepEqual(counts['distribution'], ['done', 3]);
    assert.deepEqual(counts['trtc'], ['done', 1]);
    assert.deepEqual(counts['documents'], ['done', 2]);
    assert.deepEqual(counts['objects'], ['done', 4]);
    assert.deepEqual(counts['telemetry'], ['not_used', 0]);
    assert.equal(counts['rows']?.[0], 'done');
    assert.ok(Number(counts['rows']?.[1]) >= 4);
  });

  test(`${backend}: nothing is purged before its time`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await terminateFilled(registry);
    registry.clock.nowMs = PURGE_MS - 1;
    assert.equal((await registry.pass()).begun, 0);
    registry.clock.nowMs = PURGE_MS;
    assert.equal((await registry.pass()).completed, 1);
  });

  test(`${backend}: a token of the application alone ends, one of several loses it, one of all stays`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await terminateFilled(registry);
    await registry.pass();
    const rows = await registry.database.kysely.selectFrom('token').selectAll().orderBy('id').execute();
    assert.deepEqual(
      rows.map(({ applications }) => JSON.parse(applications)),
      [[APPLICATION + 1], 'all'],
    );
  });

  test(`${backend}: the audit keeps actions and actors, without reasons and paths`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await terminateFilled(registry);
    await registry.pass();
    const rows = await registry.database.kysely.selectFrom('audit').selectAll().orderBy('id').execute();
    assert.deepEqual(
      rows.map(({ actor, action, paths }) => [actor, action, paths]),
      [
        ['anna', 'application.create', '[]'],
        ['anna', 'application.change', '[]'],
        ['anna', 'application.terminate', '[]'],
        ['registry', 'application.purge', '[]'],
      ],
    );
    assert.deepEqual(
      rows.map(({ reason }) => reason),
      ['', '', '', '2 months after its termination'],
    );
    assert.equal((await noticeKinds(registry)).at(-1), 'purged');
  });

  test(`${backend}: a place that fails stays open, others go on, and the purge is late until it works`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await terminateFilled(registry);
    const steps = { ...registry.services.steps, objects };
    assert.equal((await registry.pass({ steps })).completed, 0);
    const open = await certificateOf(registry);
    assert.deepEqual(statesOf(open), {
      distribution: 'done',
      trtc: 'done',
      documents: 'done',
      objects: 'open',
      telemetry: 'not_used',
      rows: 'open',
    });
    assert.equal(open.places[3]?.last_error, 'the bucket does not answer');
    const late = async () =>
      countLatePurges(registry.database.kysely, { nowMs: registry.clock.nowMs, withinMs: WITHIN_MS });
    assert.equal(await late(), 0);
    registry.clock.nowMs = PURGE_MS + WITHIN_MS + 1;
    assert.equal(await late(), 1);
    assert.equal((await registry.pass()).completed, 1);
    assert.equal(await late(), 0);
    assert.deepEqual(await tracesOf(registry, 'Nachtigall'), []);
  });

  test(`${backend}: a purge that nobody has begun is late too`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await terminateFilled(registry);
    const nowMs = PURGE_MS + WITHIN_MS + 1;
    assert.equal(await countLatePurges(registry.database.kysely, { nowMs, withinMs: WITHIN_MS }), 1);
  });

  test(`${backend}: an end that TRTC has not confirmed is open in the certificate, and done once it has`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await registry.create('Nachtigall', { share_with_trtc: true });
    await confirmTrtc(registry);
    await registry.terminate(1);
    registry.clock.nowMs = PURGE_MS;
    await registry.pass();
    const open = await certificateOf(registry);
    assert.equal(open.completed_at, text(PURGE_MS));
    assert.match(open.places[1]?.last_error ?? '', /TRTC has not confirmed the end/);
    assert.deepEqual(await tracesOf(registry, 'Nachtigall'), []);
    registry.clock.nowMs = PURGE_MS + DAY_MS;
    await confirmTrtc(registry);
    await registry.pass();
    const closed = await certificateOf(registry);
    const { state, done_at: doneAt, deleted } = closed.places[1] ?? {};
    assert.deepEqual([state, doneAt, deleted], ['done', text(PURGE_MS + DAY_MS), 1]);
    assert.deepEqual(await registry.database.kysely.selectFrom('sharing').selectAll().execute(), []);
  });

  test(`${backend}: the certificate names the expiry of the last backup that may hold the application`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await terminateFilled(registry);
    for (const [id, expiresMs] of [
      ['first', PURGE_MS + 5 * DAY_MS],
      ['second', PURGE_MS + 9 * DAY_MS],
    ] as const) {
      const times = { created_ms: START_MS, completed_ms: null, expires_ms: expiresMs };
      await registry.database.kysely
        .insertInto('backup')
        .values({ id, object_prefix: `backups/${id}/`, ...times })
        .execute();
    }
    await registry.pass();
    assert.equal((await certificateOf(registry)).backups_expire_at, text(PURGE_MS + 9 * DAY_MS));
  });

  test(`${backend}: after the purge the SDKAppID is free for a new application, which is purged by itself`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await terminateFilled(registry);
    await assert.rejects(registry.create('Amsel'), { code: 'already_exists' });
    await registry.pass();
    registry.clock.nowMs += DAY_MS;
    const { application } = await registry.create('Amsel');
    assert.deepEqual([application.version, application.revision, application.status], [1, 1, 'active']);
    assert.deepEqual(await registry.pass(), { notices: 0, begun: 0, completed: 0 });
    const { purge_at: purgeAt } = await registry.terminate(1);
    registry.clock.nowMs = Date.parse(purgeAt ?? '');
    await registry.pass();
    const page = { among: 'all', before: undefined, limit: 10 } as const;
    const certificates = await readCertificates(registry.database.kysely, page);
    assert.deepEqual(
      certificates.map((one) => [one.due_at, one.places.length, one.completed_at === null]),
      [
        [purgeAt, PURGE_PLACES.length, false],
        [text(PURGE_MS), PURGE_PLACES.length, false],
      ],
    );
    assert.equal((await certificateOf(registry)).due_at, purgeAt);
    assert.equal((await readTombstones(registry.objects)).length, 2);
  });

  test(`${backend}: two processes that purge at once leave the same as one`, async (t) => {
    const registry = await openLifecycle(t, backend);
    await terminateFilled(registry);
    await Promise.allSettled([registry.pass(), registry.pass()]);
    await registry.pass();
    const certificate = await certificateOf(registry);
    assert.ok(certificate.completed_at !== null);
    assert.deepEqual(await tracesOf(registry, 'Nachtigall'), []);
    const purged = (await noticeKinds(registry)).filter((kind) => kind === 'purged');
    assert.equal(purged.length, 1);
  });
}
