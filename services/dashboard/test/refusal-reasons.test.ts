import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leadingReasons, sumByReason } from '../src/parts/refusal-reasons.js';

const reason = (name: string, records: number) => ({ reason: name, records, meaning: 'm', advice: 'a' });

test('the three most frequent reasons are named, and the others counted', () => {
  const reasons = [reason('unknown_field', 12_000), reason('too_long', 4), reason('invalid_ip', 3)];
  assert.equal(leadingReasons(reasons.slice(0, 1)), 'unknown_field 12\u202fk');
  assert.equal(leadingReasons(reasons), 'unknown_field 12\u202fk, too_long 4, invalid_ip 3');
  assert.equal(
    leadingReasons([...reasons, reason('wrong_type', 2), reason('rate_limited', 1)]),
    'unknown_field 12\u202fk, too_long 4, invalid_ip 3 and 2 more',
  );
});

const names = { name: '', package: '', owner: '' };

test('reasons are summed over applications, most frequent first', () => {
  const applications = [
    { sdk_app_id: 7, ...names, records: 9, reasons: [reason('too_long', 5), reason('invalid_ip', 4)] },
    { sdk_app_id: null, ...names, records: 6, reasons: [reason('invalid_ip', 6)] },
  ];
  assert.deepEqual(sumByReason(applications), [reason('invalid_ip', 10), reason('too_long', 5)]);
  assert.deepEqual(sumByReason([]), []);
});
