import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DETAILS_DEFAULTS } from '@imscope/schemas/registry-api/details.js';
import { decideSharing, type SharingInput } from '../../src/sharing/sharing-decision.js';

const SHARED: SharingInput = {
  sdkAppId: 1_400_000_001,
  appId: 7,
  status: 'active',
  details: {
    ...DETAILS_DEFAULTS,
    name: 'Chat',
    owner: 'Anna',
    data_centre: 'singapore',
    subscriptions: ['push', 'trtc'],
    administrators: ['root'],
  },
  shareWithTrtc: true,
  createdMs: Date.UTC(2026, 0, 2),
};
const SWITCHED_OFF: SharingInput = { ...SHARED, shareWithTrtc: false };
const UNSUBSCRIBED: SharingInput = { ...SHARED, details: { ...SHARED.details, subscriptions: ['push'] } };
const SUSPENDED: SharingInput = { ...SHARED, status: 'suspended' };
const TERMINATED: SharingInput = { ...SHARED, status: 'terminated' };
const NOT_SHARED = { SWITCHED_OFF, UNSUBSCRIBED, SUSPENDED, TERMINATED };

test('details are shared with the creation of an application that wants it', () => {
  const decision = decideSharing(null, SHARED);
  assert.deepEqual(decision, {
    kind: 'share',
    isFirst: true,
    details: {
      sdk_app_id: 1_400_000_001,
      app_id: 7,
      name: 'Chat',
      introduction: '',
      description: '',
      type: 'other',
      status: 'active',
      created_at: '2026-01-02T00:00:00.000Z',
    },
  });
});

for (const [name, state] of Object.entries(NOT_SHARED)) {
  test(`nothing is shared where the application is ${name.toLowerCase()}`, () => {
    assert.equal(decideSharing(null, state).kind, 'nothing');
    assert.equal(decideSharing(SWITCHED_OFF, state).kind, 'nothing');
  });

  test(`a sharing ends when the application is ${name.toLowerCase()}, and begins again after it`, () => {
    assert.deepEqual(decideSharing(SHARED, state), { kind: 'end' });
    const again = decideSharing(state, SHARED);
    assert.ok(again.kind === 'share' && again.isFirst);
  });
}

test('a sharing ends when the application is deleted', () => {
  assert.deepEqual(decideSharing(SHARED, null), { kind: 'end' });
  assert.deepEqual(decideSharing(TERMINATED, null), { kind: 'nothing' });
});

test('changed details are shared again', () => {
  const renamed = { ...SHARED, details: { ...SHARED.details, name: 'Talk' } };
  const decision = decideSharing(SHARED, renamed);
  assert.ok(decision.kind === 'share' && !decision.isFirst);
  assert.equal(decision.details.name, 'Talk');
});

test('a change of what is not shared tells TRTC nothing', () => {
  const changed = { ...SHARED, details: { ...SHARED.details, owner: 'Ben', administrators: ['ben'] } };
  assert.deepEqual(decideSharing(SHARED, changed), { kind: 'nothing' });
});
