import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EDGE_ACCOUNT_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { NO_COLLECTOR_FACTS } from '@imscope/schemas/edge-account.js';
import { APPLICATIONS_PER_CHUNK, EdgeAccounts } from '../src/accounting/edge-accounts.js';
import { REJECT_REASONS } from '../src/intake/reject-reasons.js';

const OPTIONS = {
  collector: 'edge-1',
  boot: 'boot0001',
  version: '0.1.0',
  startedMs: 1_000,
  facts: () => NO_COLLECTOR_FACTS,
};

test('accounts without traffic name the incarnation and have increasing sequences', () => {
  const accounts = new EdgeAccounts(OPTIONS);
  const first = accounts.next(2_000, 'running');
  assert.deepEqual(first, [
    {
      time: 2_000,
      collector: 'edge-1',
      boot: 'boot0001',
      started: 1_000,
      version: '0.1.0',
      sequence: 0,
      chunk: 0,
      chunks: 1,
      final: false,
      partitions: [],
      applications: [],
      covers_from: 0,
      covers_to: 0,
      ...NO_COLLECTOR_FACTS,
      sent_bytes: 0,
      retired: [],
    },
  ]);
  const [second] = accounts.next(3_000, 'final');
  assert.equal(second?.sequence, 1);
  assert.equal(second.final, true);
});

test('an account states what waits in the spool when it is written, and the bytes sent so far', () => {
  let waiting = 3;
  const accounts = new EdgeAccounts({
    ...OPTIONS,
    facts: () => ({ ...NO_COLLECTOR_FACTS, spool_bytes: 9_000 * waiting, waiting_batches: waiting }),
  });
  accounts.sentContainer(700);
  const [first] = accounts.next(2_000, 'running');
  waiting = 0;
  accounts.sentContainer(300);
  const [second] = accounts.next(3_000, 'running');
  assert.deepEqual([first?.waiting_batches, first?.spool_bytes, first?.sent_bytes], [3, 27_000, 700]);
  assert.deepEqual([second?.waiting_batches, second?.spool_bytes, second?.sent_bytes], [0, 0, 1_000]);
});

test('accounts of a history collector name the event times they cover', () => {
  const accounts = new EdgeAccounts({ ...OPTIONS, covers: { fromMs: 5, toMs: 900 } });
  for (const kind of ['running', 'final'] as const) {
    const [row] = accounts.next(2_000, kind);
    assert.deepEqual([row?.covers_from, row?.covers_to], [5, 900]);
  }
});

test('counts are cumulative, and accepted equals the records sent although a batch was given up in between', () => {
  const accounts = new EdgeAccounts(OPTIONS);
  accounts.accept(7);
  accounts.accept(8);
  accounts.sent('im.request-log', { partition: 3, sequence: 0, keyed: false }, 2);
  accounts.reject(0, 'malformed_json', 4);
  accounts.reject(7, 'out_of_range', 1);
  accounts.next(2_000, 'running');
  // Sequence 1 was given up: nothing of it was booked.
  accounts.accept(7);
  accounts.sent('im.request-log', { partition: 3, sequence: 2, keyed: false }, 1);
  accounts.reject(7, 'out_of_range', 2);
  const [account] = accounts.next(3_000, 'running');
  assert.deepEqual(account?.partitions, [
    { topic: 'im.request-log', partition: 3, last_sequence: 2, records: 3 },
  ]);
  assert.deepEqual(account.applications, [
    { sdk_app_id: 7, accepted: 2, sampled_out: 0, rejected: { out_of_range: 3 } },
    { sdk_app_id: 8, accepted: 1, sampled_out: 0, rejected: {} },
    { sdk_app_id: 0, accepted: 0, sampled_out: 0, rejected: { malformed_json: 4 } },
  ]);
});

test('many applications are split into chunks of one sequence, each small enough for a message', () => {
  const accounts = new EdgeAccounts(OPTIONS);
  const applications = 2 * APPLICATIONS_PER_CHUNK + 1;
  for (let application = 1; application <= applications; application++) {
    accounts.accept(2 ** 52 - application);
    for (const reason of Object.keys(REJECT_REASONS)) {
      accounts.reject(2 ** 52 - application, reason, 2 ** 52);
    }
  }
  accounts.sent('im.request-log', { partition: 0, sequence: 0, keyed: false }, applications);
  const chunks = accounts.next(2_000, 'running');
  assert.deepEqual(
    chunks.map(({ sequence, chunk, chunks: of, partitions }) => [sequence, chunk, of, partitions.length]),
    [
      [0, 0, 3, 1],
      [0, 1, 3, 0],
      [0, 2, 3, 0],
    ],
  );
  const ids = chunks.flatMap((chunk) => chunk.applications.map(({ sdk_app_id: id }) => id));
  assert.equal(new Set(ids).size, applications);
  for (const chunk of chunks) assert(EDGE_ACCOUNT_SCHEMA.type.toBuffer(chunk).length < 440_000);
});

test('applications above the bound are counted under 0, so that sums stay exact', () => {
  const accounts = new EdgeAccounts({ ...OPTIONS, applicationsMax: 2 });
  for (const application of [1, 2, 3, 4, 3, 1]) accounts.accept(application);
  accounts.reject(5, 'too_long', 2);
  const [account] = accounts.next(2_000, 'running');
  assert.deepEqual(
    account?.applications.map(({ sdk_app_id: id, accepted, rejected }) => [id, accepted, rejected]),
    [
      [1, 2, {}],
      [2, 1, {}],
      [0, 3, { too_long: 2 }],
    ],
  );
  assert.equal(accounts.overflowed, 4);
});
