import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DETAILS_DEFAULTS } from '@imscope/schemas/registry-api/details.js';
import type { Database } from '@imscope/state/database.js';
import { transact } from '@imscope/state/transact.js';
import { addToOutbox } from '../../src/rows/outbox.js';
import type { RegistryTables } from '../../src/rows/tables.js';
import { deliverOutbox } from '../../src/sharing/deliver-outbox.js';
import { recordSharing } from '../../src/sharing/record-sharing.js';
import { RETRY_DELAY_MS_MAX } from '../../src/sharing/retry-delay.js';
import type { SharingInput } from '../../src/sharing/sharing-decision.js';
import type { SignedEndpoint } from '../../src/sharing/signed-request.js';
import { REGISTRY_DATABASES } from '../registry-databases.js';
import { startSignedReceiver } from './signed-receiver.js';

const KEYS = { 'key-1': 'a key of sixteen or more' };
const APPLICATION = 1_400_000_001;
const OTHER = 1_400_000_002;
const START_MS = Date.UTC(2026, 0, 31);

const OFF: SharingInput = {
  sdkAppId: APPLICATION,
  appId: 7,
  status: 'active',
  details: {
    ...DETAILS_DEFAULTS,
    name: 'Chat',
    data_centre: 'singapore',
    subscriptions: ['trtc'],
    administrators: ['a'],
  },
  shareWithTrtc: false,
  createdMs: START_MS,
};
const ON: SharingInput = { ...OFF, shareWithTrtc: true };
const named = (name: string): SharingInput => ({ ...ON, details: { ...ON.details, name } });

/** A registry's outbox with a receiver, and a clock that the test sets. */
async function open(t: TestContext, dialect: keyof typeof REGISTRY_DATABASES) {
  const { database, close } = await REGISTRY_DATABASES[dialect]();
  t.after(close);
  const clock = { nowMs: START_MS };
  const receiver = await startSignedReceiver(t, KEYS, () => clock.nowMs);
  const endpoint: SignedEndpoint = { url: receiver.url, keyId: 'key-1', key: KEYS['key-1'] };
  const results: string[] = [];
  const deliver = async (trtc: SignedEndpoint | undefined = endpoint, timeoutMs = 5_000): Promise<void> => {
    await deliverOutbox({
      database,
      endpoints: { trtc, notice: endpoint },
      now: () => clock.nowMs,
      timeoutMs,
      onAttempt: (channel, result) => results.push(`${channel} ${result}`),
      mayGoOn: () => true,
    });
  };
  const change = async (before: SharingInput | null, after: SharingInput | null): Promise<void> => {
    clock.nowMs += 1_000;
    await transact(database, async (tx) => recordSharing(tx, before, after, clock.nowMs));
  };
  /** Until everything that failed is due again. */
  const later = (): void => {
    clock.nowMs += RETRY_DELAY_MS_MAX;
  };
  return { database, receiver, endpoint, clock, results, deliver, change, later };
}

const events = (list: readonly { event: string }[]): string[] => list.map(({ event }) => event);
const sharingsOf = (database: Database<RegistryTables>, sdkAppId = APPLICATION) =>
  database.kysely
    .selectFrom('sharing')
    .selectAll()
    .where('sdk_app_id', '=', sdkAppId)
    .orderBy('id')
    .execute();
const outboxOf = (database: Database<RegistryTables>) =>
  database.kysely.selectFrom('outbox').selectAll().orderBy('id').execute();

for (const dialect of ['sqlite', 'mysql'] as const) {
  test(`${dialect}: details are shared by a signed request, and the sharing is recorded`, async (t) => {
    const { database, receiver, clock, deliver, change } = await open(t, dialect);
    await change(null, ON);
    await deliver();
    const [shared] = receiver.accepted;
    assert.ok(shared !== undefined);
    assert.deepEqual(JSON.parse(shared.body), {
      event: 'share',
      sdk_app_id: APPLICATION,
      changed_at_ms: clock.nowMs,
      details: {
        sdk_app_id: APPLICATION,
        app_id: 7,
        name: 'Chat',
        introduction: '',
        description: '',
        type: 'other',
        status: 'active',
        created_at: '2026-01-31T00:00:00.000Z',
      },
    });
    assert.deepEqual(await outboxOf(database), []);
    const [sharing] = await sharingsOf(database);
    assert.deepEqual(
      [sharing?.requested_ms, sharing?.shared_ms, sharing?.end_requested_ms, sharing?.attempts],
      [clock.nowMs, clock.nowMs, null, 1],
    );
  });

  test(`${dialect}: the end of a sharing is sent and recorded`, async (t) => {
    const { database, receiver, clock, deliver, change } = await open(t, dialect);
    await change(null, ON);
    await deliver();
    await change(ON, OFF);
    const requestedMs = clock.nowMs;
    clock.nowMs += 5_000;
    await deliver();
    assert.deepEqual(events(receiver.accepted), ['share', 'end']);
    const [sharing] = await sharingsOf(database);
    assert.deepEqual([sharing?.end_requested_ms, sharing?.ended_ms], [requestedMs, clock.nowMs]);
  });

  test(`${dialect}: what fails is tried again with the same key and bytes, at growing, bounded intervals`, async (t) => {
    const { database, receiver, clock, deliver, change, later } = await open(t, dialect);
    receiver.behave = () => 'fail';
    await change(null, ON);
    for (let attempt = 1; attempt <= 12; attempt++) {
      await deliver();
      assert.equal(receiver.attempts.length, attempt);
      const [row] = await outboxOf(database);
      const waitMs = (row?.due_ms ?? 0) - clock.nowMs;
      assert.ok(waitMs >= Math.min(RETRY_DELAY_MS_MAX, 1_000 * 2 ** (attempt - 1)) / 2, String(waitMs));
      assert.ok(waitMs <= RETRY_DELAY_MS_MAX, String(waitMs));
      await deliver();
      assert.equal(receiver.attempts.length, attempt, 'nothing is sent before it is due');
      later();
    }
    const [waiting] = await sharingsOf(database);
    assert.deepEqual([waiting?.attempts, waiting?.last_error], [12, 'answered with status 503']);
    receiver.behave = () => 'accept';
    await deliver();
    assert.equal(new Set(receiver.attempts.map(({ idempotencyKey }) => idempotencyKey)).size, 1);
    assert.equal(new Set(receiver.attempts.map(({ body }) => body)).size, 1);
    const [sharing] = await sharingsOf(database);
    assert.deepEqual([sharing?.shared_ms, sharing?.last_error], [clock.nowMs, null]);
  });

  test(`${dialect}: a request that was taken but not answered is repeated and counts once`, async (t) => {
    const { receiver, deliver, change, later } = await open(t, dialect);
    receiver.behave = () => 'accept_and_break';
    await change(null, ON);
    await deliver();
    receiver.behave = () => 'accept';
    later();
    await deliver();
    assert.equal(receiver.attempts.length, 2);
    assert.deepEqual(events(receiver.accepted), ['share']);
  });

  test(`${dialect}: a receiver that hangs ends the attempt after its time`, async (t) => {
    const { database, receiver, endpoint, deliver, change } = await open(t, dialect);
    receiver.behave = () => 'hang';
    await change(null, ON);
    await deliver(endpoint, 200);
    const [sharing] = await sharingsOf(database);
    assert.match(sharing?.last_error ?? '', /timeout/i);
  });

  test(`${dialect}: an end never overtakes its share, and an undelivered share is dropped before it`, async (t) => {
    const { database, receiver, deliver, change, later } = await open(t, dialect);
    receiver.behave = () => 'fail';
    await change(null, ON);
    await deliver();
    await change(ON, OFF);
    await deliver();
    assert.deepEqual(events(receiver.attempts), ['share', 'end']);
    receiver.behave = () => 'accept';
    later();
    await deliver();
    assert.deepEqual(events(receiver.accepted), ['end']);
    const [sharing] = await sharingsOf(database);
    assert.ok(sharing?.shared_ms === null && sharing.ended_ms !== null);
    assert.deepEqual(await outboxOf(database), []);
  });

  test(`${dialect}: a share waits behind an end that TRTC has not taken`, async (t) => {
    const { database, receiver, deliver, change, later } = await open(t, dialect);
    await change(null, ON);
    await deliver();
    receiver.behave = ({ event }) => (event === 'end' ? 'fail' : 'accept');
    await change(ON, OFF);
    await change(OFF, named('Talk'));
    await deliver();
    assert.deepEqual(events(receiver.attempts), ['share', 'end']);
    receiver.behave = () => 'accept';
    later();
    await deliver();
    assert.deepEqual(events(receiver.accepted), ['share', 'end', 'share']);
    const sharings = await sharingsOf(database);
    assert.deepEqual(
      sharings.map(({ ended_ms: endedMs }) => endedMs !== null),
      [true, false],
    );
  });

  test(`${dialect}: of several changes that wait the newest is sent`, async (t) => {
    const { receiver, deliver, change } = await open(t, dialect);
    await change(null, ON);
    await deliver();
    await change(ON, named('Talk'));
    await change(named('Talk'), named('Speak'));
    await deliver();
    assert.deepEqual(
      receiver.accepted.map(({ body }) => JSON.parse(body).details.name),
      ['Chat', 'Speak'],
    );
  });

  test(`${dialect}: what was switched off before any attempt is never sent`, async (t) => {
    const { database, receiver, clock, deliver, change } = await open(t, dialect);
    await change(null, ON);
    await change(ON, OFF);
    await deliver();
    assert.deepEqual(receiver.attempts, []);
    const [sharing] = await sharingsOf(database);
    assert.deepEqual([sharing?.shared_ms, sharing?.ended_ms], [null, clock.nowMs]);
  });

  test(`${dialect}: without an endpoint nothing is sent, and one message waits however often details change`, async (t) => {
    const { database, receiver, endpoint, deliver, change } = await open(t, dialect);
    await change(null, ON);
    for (let index = 0; index < 30; index++) await change(named(`Chat ${index}`), named(`Chat ${index + 1}`));
    const noEndpoint = { database, endpoints: { trtc: undefined, notice: undefined }, now: Date.now };
    await deliverOutbox({ ...noEndpoint, timeoutMs: 1_000, onAttempt: () => {}, mayGoOn: () => true });
    assert.equal((await outboxOf(database)).length, 1);
    assert.deepEqual(receiver.attempts, []);
    await deliver(endpoint);
    assert.equal(receiver.accepted.length, 1);
  });

  test(`${dialect}: an application whose messages fail does not hold up another`, async (t) => {
    const { receiver, deliver, change } = await open(t, dialect);
    receiver.behave = ({ sdkAppId }) => (sdkAppId === APPLICATION ? 'fail' : 'accept');
    await change(null, ON);
    await change(null, { ...ON, sdkAppId: OTHER });
    await deliver();
    assert.deepEqual(
      receiver.accepted.map(({ sdkAppId }) => sdkAppId),
      [OTHER],
    );
  });

  test(`${dialect}: a redirect is a failure and is not followed`, async (t) => {
    const { database, receiver, deliver, change } = await open(t, dialect);
    receiver.behave = () => 'redirect';
    await change(null, ON);
    await deliver();
    assert.equal(receiver.attempts.length, 1);
    const [sharing] = await sharingsOf(database);
    assert.equal(sharing?.last_error, 'answered with status 307');
  });

  test(`${dialect}: the times of an application's messages grow also where the clock was set back`, async (t) => {
    const { receiver, clock, deliver, change } = await open(t, dialect);
    await change(null, ON);
    await deliver();
    clock.nowMs -= 3_600_000;
    await change(ON, OFF);
    await deliver();
    const [share, end] = receiver.accepted;
    assert.ok(share !== undefined && end !== undefined && end.changedAtMs > share.changedAtMs);
  });

  test(`${dialect}: notices of an application are sent in the order of their changes`, async (t) => {
    const { database, receiver, clock, deliver } = await open(t, dialect);
    await transact(database, async (tx) => {
      for (const kind of ['terminated', 'restored']) {
        await addToOutbox(tx, { kind: 'notice', sdkAppId: APPLICATION, payload: { kind } }, clock.nowMs);
      }
    });
    await deliver();
    assert.deepEqual(events(receiver.accepted), ['notice', 'notice']);
    assert.deepEqual(
      receiver.accepted.map(({ body }) => JSON.parse(body).notice.kind),
      ['terminated', 'restored'],
    );
  });
}

test('a request signed with another key is refused, and stays in the outbox', async (t) => {
  const { database, receiver, endpoint, results, deliver, change } = await open(t, 'sqlite');
  await change(null, ON);
  await deliver({ ...endpoint, key: 'another key, also long' });
  assert.equal(receiver.forged.length, 1);
  assert.deepEqual(results, ['trtc failed']);
  assert.equal((await outboxOf(database)).length, 1);
});
