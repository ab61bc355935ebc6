import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ApplicationSettings, NO_APPLICATION_SETTINGS } from '@imscope/access/application-settings.js';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { ApplicationLimits } from '../../src/limits/application-limits.js';

const FREE = NO_APPLICATION_SETTINGS;
const LIMITED: ApplicationSettings = { ...FREE, quotaPerSecond: 5, limitPerSecond: 10 };

test('the number of applications in memory is bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1_000 }), { maxLength: 500 }), (ids) => {
      const limits = new ApplicationLimits(
        { lookUp: () => LIMITED, refusalOf: () => undefined, random: Math.random },
        50,
      );
      return ids.every((id, n) => {
        const request = limits.forRequest(n);
        request.admit(id);
        request.weigh(id, 'success');
        return limits.size <= 50;
      });
    }),
  );
});

test('applications without limit and quota need no state', () => {
  const limits = new ApplicationLimits({
    lookUp: () => FREE,
    refusalOf: () => undefined,
    random: Math.random,
  });
  const request = limits.forRequest(0);
  for (let id = 1; id < 1_000; id++) {
    assert(request.admit(id));
    assert.equal(request.weigh(id, 'success'), 1);
  }
  assert.equal(limits.size, 0);
});

test('an idle application with a full bucket is removed, one in debt is kept', () => {
  const limits = new ApplicationLimits({
    lookUp: () => LIMITED,
    refusalOf: () => undefined,
    random: Math.random,
  });
  const request = limits.forRequest(0);
  for (let n = 0; n < 50; n++) request.admit(7);
  assert(request.admitAll(new Map([[8, 1_000]])));
  limits.forRequest(60_000);
  assert.equal(limits.size, 1);
  assert.deepEqual(
    limits.tightest(60_000, 5).map(({ sdkAppId, left, most }) => [sdkAppId, left, most]),
    [[8, 0, 50]],
  );
});

test('in the long run an application is accepted at most at its limit, in any number of requests', () => {
  const limits = new ApplicationLimits({
    lookUp: () => LIMITED,
    refusalOf: () => undefined,
    random: Math.random,
  });
  let taken = 0;
  for (let ms = 0; ms < 60_000; ms += 20) {
    const request = limits.forRequest(ms);
    for (let n = 0; n < 10; n++) if (request.admit(7)) taken += 1;
  }
  assert(taken <= 10 * 65 && taken >= 10 * 64, String(taken));
});

test('a refund returns the records once, however they were taken', () => {
  const limits = new ApplicationLimits({
    lookUp: () => LIMITED,
    refusalOf: () => undefined,
    random: Math.random,
  });
  for (let again = 0; again < 20; again++) {
    const one = limits.forRequest(0);
    for (let n = 0; n < 50; n++) assert(one.admit(7));
    assert(!one.admit(7));
    one.refund();
    one.refund();
    const whole = limits.forRequest(0);
    assert(whole.admitAll(new Map([[7, 50]])));
    whole.refund();
  }
  const taken = limits.forRequest(0);
  for (let n = 0; n < 50; n++) assert(taken.admit(7));
  assert(!limits.forRequest(0).admit(7));
});

test('new settings apply from the next request on', () => {
  let settings = LIMITED;
  const limits = new ApplicationLimits({
    lookUp: () => settings,
    refusalOf: () => undefined,
    random: Math.random,
  });
  const before = limits.forRequest(0);
  while (before.admit(7));
  settings = FREE;
  assert(limits.forRequest(0).admit(7));
  settings = LIMITED;
  assert(!limits.forRequest(0).admit(7));
});

test('applications are counted while they are sampled', () => {
  const limits = new ApplicationLimits({
    lookUp: () => LIMITED,
    refusalOf: () => undefined,
    random: Math.random,
  });
  const request = limits.forRequest(0);
  for (let n = 0; n < 200; n++) request.weigh(7, 'success');
  request.weigh(8, 'success');
  assert.equal(limits.sampled(0), 1);
  assert.equal(limits.sampled(10_000), 0);
  assert(request.sampledOut > 100);
});

test('an application over its limit is refused before its bodies are read, until one second of its rate is left', () => {
  const limits = new ApplicationLimits({
    lookUp: () => LIMITED,
    refusalOf: () => undefined,
    random: Math.random,
  });
  limits.refuseIfOver(7, 0);
  const request = limits.forRequest(0);
  while (request.admit(7));
  const refusal = (nowMs: number): unknown => {
    try {
      limits.refuseIfOver(7, nowMs);
      return undefined;
    } catch (error) {
      assert(error instanceof HttpError && error.code === 'too_many_requests');
      return error.retryAfterS;
    }
  };
  assert.deepEqual([refusal(0), refusal(900), refusal(1_000), refusal(1_000)], [1, 1, undefined, undefined]);
  let taken = 0;
  const later = limits.forRequest(1_000);
  while (later.admit(7)) taken += 1;
  assert.deepEqual([taken, refusal(1_500)], [10, 1]);
});
