import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classifyOutcome } from '@imscope/schemas/codes/catalogue.js';
import { describeHttpStatus, classifyHttpStatus } from '@imscope/schemas/codes/http-statuses.js';

describe('classification by the HTTP status where no code is known', () => {
  it('leaves answers below 400 and unusable statuses unknown, 200 above all', () => {
    for (const status of [0, 100, 200, 204, 301, 304, 600, 999, -1, Number.NaN]) {
      assert.equal(classifyOutcome(null, status), 'unknown', `status ${status}`);
    }
  });

  it("counts refusals as the caller's, the limit included", () => {
    for (const status of [400, 401, 403, 404, 405, 413, 429, 431, 498]) {
      assert.equal(classifyOutcome(null, status), 'caller_error', `status ${status}`);
    }
  });

  it('counts every 5xx against the service', () => {
    for (let status = 500; status <= 599; status += 1)
      assert.equal(classifyOutcome(null, status), 'service_error');
  });

  it('counts requests that ran out of time against the service', () => {
    for (const status of [408, 499, 504])
      assert.equal(classifyOutcome(null, status), 'service_error', `status ${status}`);
  });
});

describe('describeHttpStatus', () => {
  it('has a name, a meaning, advice and the outcome for every number', () => {
    for (let status = 0; status <= 700; status += 1) {
      const described = describeHttpStatus(status);
      assert.equal(described.status, status);
      assert.equal(described.outcome, classifyHttpStatus(status));
      assert.match(described.name, /^[a-z][a-z0-9_]*$/);
      for (const text of [described.meaning, described.advice]) {
        assert.match(text, /^[A-Z].{8,}\.$/);
        assert.ok(text.length < 200);
      }
    }
  });

  it('names the usual statuses', () => {
    const names = [0, 200, 429, 499, 502, 503, 504].map((status) => describeHttpStatus(status).name);
    assert.deepEqual(names, [
      'no_status',
      'ok_without_code',
      'too_many_requests',
      'client_closed',
      'bad_gateway',
      'unavailable',
      'gateway_timeout',
    ]);
  });

  it('describes other statuses by their class', () => {
    assert.equal(describeHttpStatus(207).name, 'accepted_without_code');
    assert.equal(describeHttpStatus(302).name, 'redirected');
    assert.equal(describeHttpStatus(418).name, 'refused');
    assert.equal(describeHttpStatus(521).name, 'failed');
    assert.equal(describeHttpStatus(42).name, 'status_unusable');
  });
});
