import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partsOfFile, withPairs } from '../../src/app/value-pairs.js';
import { UsageError } from '../../src/command/usage-error.js';

const STATE = {
  details: { name: 'Chat', subscriptions: ['trtc'] },
  settings: { quota_per_second: null, codes: {} },
};

test('a pair sets the value at its path and leaves the rest', () => {
  assert.deepEqual(
    withPairs(STATE, ['settings.quota_per_second=500', 'details.subscriptions=["trtc","push"]']),
    {
      details: { name: 'Chat', subscriptions: ['trtc', 'push'] },
      settings: { quota_per_second: 500, codes: {} },
    },
  );
});

test('where there is text, text stays text', () => {
  for (const [pair, name] of [
    ['details.name=42', '42'],
    ['details.name=true', 'true'],
    ['details.name="quoted"', 'quoted'],
    ['details.name=a=b', 'a=b'],
    ['details.name=', ''],
  ] as const) {
    assert.deepEqual(withPairs(STATE, [pair])['details'], { ...STATE.details, name }, pair);
  }
});

test('null takes a value away, so that it gets its default again', () => {
  assert.deepEqual(withPairs(STATE, ['details.name=null'])['details'], { ...STATE.details, name: null });
});

test('a member that is new is made, also where its name is one of every object', () => {
  assert.deepEqual(withPairs(STATE, ['settings.codes.-1=service_error'])['settings'], {
    quota_per_second: null,
    codes: { '-1': 'service_error' },
  });
  const made = withPairs({}, ['settings.__proto__=1']);
  assert.deepEqual(Object.entries(Object(made['settings'])), [['__proto__', 1]]);
});

test('a pair without a path, or into a value, is refused with what to do', () => {
  assert.throws(() => withPairs(STATE, ['quota']), /"quota" is no path=value/);
  assert.throws(() => withPairs(STATE, ['details.name.first=x']), /leads into a value: set name itself/);
  assert.throws(() => withPairs(STATE, ['details.subscriptions.0=x']), /leads into a list/);
});

test('a file holds parts of a state and nothing else', () => {
  assert.deepEqual(partsOfFile({ settings: {} }, 'f'), { settings: {} });
  for (const wrong of [[], null, 'x', { other: 1 }]) assert.throws(() => partsOfFile(wrong, 'f'), UsageError);
});
