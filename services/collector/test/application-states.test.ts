/* Applications that are refused whatever they send, through a running collector; the source is the applications file. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hashToken } from '@imscope/access/tokens.js';
import { sampleRecord } from './sample-record.js';
import { runCollector, type RunningCollector, WRITE_TOKEN } from './running-collector.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-states-'));
const SHARED = 1_400_000_005;
type Accepted = { accepted: number; rejected: { index: number; reason: string }[] };
let collector: RunningCollector;

before(async () => {
  const registryFile = join(directory, 'registry.json');
  const tokens = [{ name: 'gateway', sha256: hashToken(WRITE_TOKEN), scope: 'write', applications: 'all' }];
  const applications = [
    { sdk_app_id: 1_400_000_001, region: 'frankfurt' },
    { sdk_app_id: 1_400_000_002, status: 'suspended' },
    { sdk_app_id: 1_400_000_003, status: 'terminated' },
    { sdk_app_id: 1_400_000_004, region: 'singapore' },
    { sdk_app_id: SHARED, logged_share: 0.1 },
  ];
  writeFileSync(registryFile, JSON.stringify({ tokens, applications }));
  collector = await runCollector({
    environment: { REGISTRY_FILE: registryFile, REGION: 'frankfurt', APPLICATIONS_KNOWN_ONLY: 'true' },
  });
});
after(async () => {
  await collector.remove();
  rmSync(directory, { recursive: true });
});

function recordOf(sdkAppId: number, fields: Record<string, unknown> = {}): unknown {
  return sampleRecord({ sdk_app_id: sdkAppId, time: Date.now(), ...fields });
}

test('records are refused by their application’s status, region, or because it is unknown, the others accepted', async () => {
  const ids = [1_400_000_001, 1_400_000_002, 1_400_000_003, 1_400_000_004, 1_400_000_099];
  const answer = await collector.post(JSON.stringify(ids.map((id) => recordOf(id))));
  assert.equal(answer.status, 202);
  const { accepted, rejected } = answer.body as Accepted;
  assert.equal(accepted, 1);
  assert.deepEqual(
    rejected.map(({ index, reason }) => [index, reason]),
    [
      [1, 'application_suspended'],
      [2, 'application_terminated'],
      [3, 'application_of_other_region'],
      [4, 'application_unknown'],
    ],
  );
  assert.equal(await collector.metric('records_rejected_total', 'application_suspended'), 1);
});

test('of an application with a logged share errors are all logged, and the weights add up to what was sent', async () => {
  const successes = Array.from({ length: 1_000 }, () => recordOf(SHARED, { code: 0 }));
  const errors = Array.from({ length: 7 }, () => recordOf(SHARED, { code: 90_994 }));
  const answer = await collector.post(JSON.stringify([...successes, ...errors]));
  assert.equal((answer.body as Accepted).accepted, 1_007);
  const messages = await collector.messages();
  const logged = messages.flatMap(({ records }) => records).filter((record) => record.sdk_app_id === SHARED);
  assert.equal(logged.length, 107);
  assert.equal(
    logged.reduce((sum, { weight }) => sum + weight, 0),
    1_007,
  );
  assert.equal(await collector.metric('records_sampled_out_total'), 900);
});
