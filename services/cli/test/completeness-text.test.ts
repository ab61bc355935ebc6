import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completenessText } from '../src/query/completeness-text.js';

const watermark = '2026-11-23T12:03:10.250Z';
const silent = (collector: string) => ({ collector, boot: 'b', last_heard: '2026-11-23T12:01:05.000Z' });
const none = { watermark, silent_collectors: [] };

test('the text says complete, or until when answers are complete, or how much of them is stored', () => {
  assert.equal(completenessText({ status: 'complete', ratio: 1, ...none }), 'complete');
  assert.equal(completenessText({ status: 'partial', ratio: 1, ...none }), 'stored up to 12:03:10');
  assert.equal(
    completenessText({ status: 'partial', ratio: 0.999_999, ...none }),
    'incomplete: 99.99 % of it, stored up to 12:03:10',
  );
  assert.equal(
    completenessText({ status: 'unknown', ratio: null, watermark: null, silent_collectors: [] }),
    'completeness not known',
  );
});

test('the text names the collector that is silent for longest, without its control characters', () => {
  assert.equal(
    completenessText({ status: 'unknown', ratio: 1, watermark, silent_collectors: [silent('edge-2')] }),
    'incomplete: collector edge-2 silent since 12:01:05',
  );
  const two = completenessText({
    status: 'unknown',
    ratio: 1,
    watermark,
    silent_collectors: [silent('edge\u001b[31m'), silent('edge-3')],
  });
  assert.match(two, /^incomplete: collector edge\P{Cc}+ silent since 12:01:05 and 1 more$/u);
});

test('the text gives bounds of the success rate where records are missing, and whose fault it is', () => {
  const bounds = { least: 0.912_34, greatest: 0.998_76 };
  const verdict = {
    fault: 'telemetry_fault',
    reason: '1 % of what collectors accepted is not stored',
  } as const;
  const retired = { collectors: 1, lost_max: 1_300 };
  const known = { status: 'partial', ratio: 0.9, ...none, missing_max: 1_400, success_rate: bounds } as const;
  assert.equal(
    completenessText({ ...known, retired, verdict }),
    'incomplete: 90.00 % of it, stored up to 12:03:10, at most 1,300 records lost with retired collectors, ' +
      'success between 91.23 % and 99.87 %, fault of the telemetry',
  );
  assert.equal(
    completenessText({ status: 'complete', ratio: 1, ...none, missing_max: 0, success_rate: bounds }),
    'complete',
  );
});
