import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addBalances, balanceOf, isEven, Settling } from '../balance.js';
import { balanceLine } from '../words.js';

const sent = (acknowledged: number, ambiguous = 0) => ({ acknowledged, ambiguous });

test('all that was acknowledged and stored once is even', () => {
  const balance = balanceOf(sent(1_000), { rows: 1_000, distinct: 1_000 });
  assert.deepEqual(balance, { sent: 1_000, stored: 1_000, lost: 0, doubled: 0, unexplained: 0 });
  assert.ok(isEven(balance));
});

test('a loss and a double do not cancel each other out', () => {
  const balance = balanceOf(sent(1_000), { rows: 1_000, distinct: 990 });
  assert.equal(balance.lost, 10);
  assert.equal(balance.doubled, 10);
  assert.ok(!isEven(balance));
});

test('what may have been taken is neither lost nor unexplained, whether it is there or not', () => {
  assert.ok(isEven(balanceOf(sent(1_000, 50), { rows: 1_000, distinct: 1_000 })));
  assert.ok(isEven(balanceOf(sent(1_000, 50), { rows: 1_050, distinct: 1_050 })));
  assert.equal(balanceOf(sent(1_000, 50), { rows: 1_051, distinct: 1_051 }).unexplained, 1);
});

test('what was acknowledged a moment ago is not yet lost', () => {
  const settling = new Settling(10_000);
  assert.equal(settling.add(0, 100), 0);
  assert.equal(settling.add(5_000, 200), 0);
  assert.equal(settling.add(10_000, 300), 100);
  assert.equal(settling.add(15_500, 400), 200);
  assert.equal(balanceOf(sent(400), { rows: 250, distinct: 250 }, 200).lost, 0);
  assert.equal(balanceOf(sent(400), { rows: 150, distinct: 150 }, 200).lost, 50);
});

test('the line names a loss, and what nobody sent only where there is some', () => {
  const uneven = addBalances(
    balanceOf(sent(2_000), { rows: 1_900, distinct: 1_900 }),
    balanceOf(sent(10), { rows: 12, distinct: 11 }),
  );
  // oxlint-disable-next-line no-control-regex -- colours
  const plain = balanceLine(uneven, 812).replaceAll(/\u001b\[\d+m/g, '');
  assert.equal(plain, 'SENT 2,010  STORED 1,912  LOST 100  DOUBLED 1  UNEXPLAINED 1  FRESH 0.8 s');
  assert.ok(!balanceLine(balanceOf(sent(1), { rows: 1, distinct: 1 }), undefined).includes('UNEXPLAINED'));
});
