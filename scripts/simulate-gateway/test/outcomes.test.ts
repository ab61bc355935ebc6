import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classifyOutcome } from '@imscope/schemas/codes/catalogue.js';
import { ENDINGS } from '../outcomes.js';

test('the catalogue classifies every simulated code and HTTP status as the simulator expects', () => {
  const given = ENDINGS.map(({ code, httpStatus }) => [code, httpStatus, classifyOutcome(code, httpStatus)]);
  assert.deepEqual(
    given,
    ENDINGS.map(({ code, httpStatus, outcome }) => [code, httpStatus, outcome]),
  );
});

test('no cause holds an address, a long number or an e-mail, so none is changed by scrubbing', () => {
  for (const cause of ENDINGS.flatMap(({ causes }) => causes)) {
    assert.doesNotMatch(cause, /@|\d{6}|\d+\.\d+\.\d+/);
  }
});
