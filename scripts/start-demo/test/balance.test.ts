import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addBalances, balanceOf, isEven } from '../balance.js';
import { isReached, type Positions, Settling } from '../log-positions.js';
import { balanceLine, directions } from '../texts.js';

const sent = (acknowledged: number, ambiguous = 0) => ({ acknowledged, ambiguous, isComplete: true });

const at = (offset: number): Positions => new Map([[0, offset]]);
const away = async (): Promise<Positions> => {
  throw new Error('connection refused');
};

test('records that are acknowledged and stored once are even', () => {
  const balance = balanceOf(sent(1_000), { rows: 1_000, distinct: 1_000 });
  assert.deepEqual(balance, { sent: 1_000, stored: 1_000, lost: 0, doubled: 0, unexplained: 0 });
  assert.ok(isEven(balance));
});

test('a lost record and a doubled one do not cancel out', () => {
  const balance = balanceOf(sent(1_000), { rows: 1_000, distinct: 990 });
  assert.equal(balance.lost, 10);
  assert.equal(balance.doubled, 10);
  assert.ok(!isEven(balance));
});

test('a record that may have been accepted is neither lost nor unexplained, stored or not', () => {
  assert.ok(isEven(balanceOf(sent(1_000, 50), { rows: 1_000, distinct: 1_000 })));
  assert.ok(isEven(balanceOf(sent(1_000, 50), { rows: 1_050, distinct: 1_050 })));
  assert.equal(balanceOf(sent(1_000, 50), { rows: 1_051, distinct: 1_051 }).unexplained, 1);
});

test('nothing is unexplained after a simulator that was killed before its final report', () => {
  assert.ok(isEven(balanceOf({ ...sent(1_000), isComplete: false }, { rows: 1_600, distinct: 1_600 })));
});

test('an end is reached when every partition that has messages is committed up to it', () => {
  const ends = new Map([
    [0, 10],
    [1, 0],
  ]);
  assert.ok(!isReached(ends, new Map()));
  assert.ok(!isReached(ends, new Map([[0, 9]])));
  assert.ok(
    isReached(
      ends,
      new Map([
        [0, 10],
        [1, -1],
      ]),
    ),
  );
});

test('acknowledged records are settled once the log is committed up to its end of that time', async () => {
  let end = 0;
  let committed = 0;
  const settling = new Settling({ ends: async () => at(end), committed: async () => at(committed) });
  const settledAfter = async (acknowledged: number, nowMs: number): Promise<number> =>
    (await settling.advance(acknowledged, nowMs)).settled;

  end = 5;
  assert.equal(await settledAfter(100, 1), 0);
  end = 8;
  committed = 4;
  assert.equal(await settledAfter(200, 2), 0);
  assert.deepEqual(await settling.advance(200, 3), { settled: 0, waitingSinceMs: 1 });
  committed = 5;
  assert.equal(await settledAfter(300, 4), 100);
  committed = 8;
  assert.equal(await settledAfter(400, 5), 300);
  assert.equal(balanceOf(sent(400), { rows: 250, distinct: 250 }, 300).lost, 50);
});

test('while Kafka is down nothing new is settled', async () => {
  const settling = new Settling({ ends: away, committed: away });
  assert.deepEqual(await settling.advance(100, 7), { settled: 0, waitingSinceMs: 7 });
});

test('the line names a loss, and unexplained records only where there are any', () => {
  const uneven = addBalances(
    balanceOf(sent(2_000), { rows: 1_900, distinct: 1_900 }),
    balanceOf(sent(10), { rows: 12, distinct: 11 }),
  );
  // oxlint-disable-next-line no-control-regex -- colours
  const plain = balanceLine(uneven, 812).replaceAll(/\u001b\[\d+m/g, '');
  assert.equal(plain, 'SENT 2,010  STORED 1,912  LOST 100  DOUBLED 1  UNEXPLAINED 1  FRESH 0.8 s');
  assert.ok(!balanceLine(balanceOf(sent(1), { rows: 1, distinct: 1 }), undefined).includes('UNEXPLAINED'));
});

test('commands to try say where the stack is when `./scripts/imscope` does not find it', () => {
  const where = {
    signInLink: 'http://127.0.0.1:28080/#sign-in=code',
    port: 28_080,
    host: '127.0.0.1',
    collectorUrl: 'http://127.0.0.1:28088',
    queryUrl: 'http://127.0.0.1:28080',
    registryUrl: 'http://127.0.0.1:8090',
    secretsFile: '/tmp/other/credentials/secrets.json',
    metricsUrls: [],
  };
  const lines = (isFound: boolean): string[] => directions({ ...where, isFound }).split('\n');
  const token = '--token-file /tmp/other/credentials/secrets.json';
  assert.ok(lines(true).some((line) => line.endsWith('./scripts/imscope top')));
  assert.ok(
    lines(false).some((line) => line.endsWith(`./scripts/imscope top --query ${where.queryUrl} ${token}`)),
  );
  const send = `./scripts/imscope send access.log --format nginx --collector ${where.collectorUrl} ${token}`;
  assert.ok(lines(false).some((line) => line.endsWith(send)));
});
