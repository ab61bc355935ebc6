import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InterfaceCardinalityLimit, OVERFLOW_INTERFACE } from '../src/intake/interface-cardinality-limit.js';
import { isRejection } from '../src/intake/reject-reasons.js';
import { validateRecord } from '../src/intake/validate-record.js';
import { sampleRecord, SAMPLE_TIME_MS } from './sample-record.js';

const HOUR_MS = 3_600_000;

type Bounds = { readonly perApplicationMax: number; readonly namesMax: number };

/** A limit, the records it counted as overflow, and the interface name it gives a record. */
function createLimit(bounds: Bounds) {
  const sample = validateRecord(sampleRecord(), {
    nowMs: SAMPLE_TIME_MS,
    lateMsMax: HOUR_MS,
    codesOf: () => new Map(),
    onDropped: () => undefined,
    onScrubbed: () => undefined,
    onIdTaken: () => undefined,
  });
  assert(!isRejection(sample));
  let overflowed = 0;
  const interfaces = new InterfaceCardinalityLimit({ ...bounds, onOverflow: () => void (overflowed += 1) });
  return {
    get names() {
      return interfaces.names;
    },
    get overflowed() {
      return overflowed;
    },
    admit: (sdkAppId: number, name: string, nowMs: number): string => {
      const given = { ...sample, sdk_app_id: sdkAppId, interface: name };
      const capped = interfaces.apply(given, nowMs);
      assert.deepEqual({ ...capped, interface: name }, given);
      return capped.interface;
    },
  };
}

test('an application keeps its first interfaces, later ones are counted under other/overflow', () => {
  const limit = createLimit({ perApplicationMax: 2, namesMax: 100 });
  const admit = (name: string): string => limit.admit(1, name, 0);
  assert.deepEqual(['a/1', 'a/2', 'a/3', 'a/1', 'a/2', 'a/4'].map(admit), [
    'a/1',
    'a/2',
    OVERFLOW_INTERFACE,
    'a/1',
    'a/2',
    OVERFLOW_INTERFACE,
  ]);
  assert.equal(limit.overflowed, 2);
  assert.equal(limit.admit(2, 'a/3', 0), 'a/3');
  assert.equal(limit.names, 3);
});

test('beyond the bound over all applications, new interfaces of any application overflow, known ones stay', () => {
  const limit = createLimit({ perApplicationMax: 10, namesMax: 3 });
  for (const app of [1, 2, 3]) assert.equal(limit.admit(app, 'a/b', 0), 'a/b');
  assert.equal(limit.admit(4, 'a/b', 0), OVERFLOW_INTERFACE);
  assert.equal(limit.admit(1, 'a/c', 0), OVERFLOW_INTERFACE);
  assert.equal(limit.admit(3, 'a/b', 0), 'a/b');
});

test('an interface that was not seen for an hour is forgotten, one that was seen is not', () => {
  const limit = createLimit({ perApplicationMax: 2, namesMax: 100 });
  limit.admit(1, 'old', 0);
  limit.admit(1, 'kept', 0);
  limit.admit(1, 'kept', HOUR_MS - 1);
  assert.equal(limit.admit(1, 'new', HOUR_MS - 1), OVERFLOW_INTERFACE);
  assert.equal(limit.admit(1, 'new', 2 * HOUR_MS - 2), 'new');
  assert.equal(limit.admit(1, 'kept', 2 * HOUR_MS - 2), 'kept');
  assert.equal(limit.admit(1, 'old', 2 * HOUR_MS - 2), OVERFLOW_INTERFACE);
});

test('other/overflow does not count against the bounds', () => {
  const limit = createLimit({ perApplicationMax: 1, namesMax: 1 });
  assert.equal(limit.admit(1, OVERFLOW_INTERFACE, 0), OVERFLOW_INTERFACE);
  assert.equal(limit.names, 0);
  assert.equal(limit.admit(1, 'a/b', 0), 'a/b');
});

test('for any requests both bounds hold and an application never has more names than its bound', () => {
  const request = fc.record({ app: fc.nat(4), name: fc.nat(12), passedMs: fc.nat(HOUR_MS) });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 200 }), (requests) => {
      const limit = createLimit({ perApplicationMax: 3, namesMax: 7 });
      const lastHour: { app: number; name: string; atMs: number }[] = [];
      let nowMs = 0;
      for (const { app, name, passedMs } of requests) {
        nowMs += passedMs;
        const admitted = limit.admit(app, `i/${name}`, nowMs);
        assert(admitted === `i/${name}` || admitted === OVERFLOW_INTERFACE);
        assert(limit.names <= 7);
        if (admitted !== OVERFLOW_INTERFACE) lastHour.push({ app, name: admitted, atMs: nowMs });
        const recent = lastHour.filter((each) => each.app === app && nowMs - each.atMs < HOUR_MS);
        assert(new Set(recent.map((each) => each.name)).size <= 3);
      }
    }),
  );
});
