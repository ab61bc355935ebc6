/* The arguments of `collector-retire`, the account that books it, and what it says of the loss. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKeyedBoot } from '@imscope/schemas/batch-headers.js';
import { describeLoss } from '../../src/retire/describe-retirement.js';
import type { SilentIncarnation } from '../../src/retire/find-incarnations.js';
import { parseRetireArguments } from '../../src/retire/retire-arguments.js';
import { retirementAccount } from '../../src/retire/retirement-account.js';

const NOW_MS = Date.UTC(2026, 10, 24, 12);
const GONE: SilentIncarnation = {
  boot: 'boot000000000001',
  collector: 'edge-1',
  lastAccount: 41,
  heardMs: NOW_MS - 600_000,
  loss: {
    acceptedFromMs: NOW_MS - 600_000,
    acceptedToMs: NOW_MS - 480_000,
    rate: 75,
    missing: 1_200,
    acceptedMax: 9_000,
    unaccountedStored: 400,
    spoolRecordsMax: 4_194_304,
  },
  keyedMissing: new Map([[1, 4]]),
  spoolBytesMax: 1 << 28,
  recordBytes: 64,
};

test('arguments name one collector and a reason; wrong ones say what is allowed', () => {
  const parsed = parseRetireArguments(
    ['edge-1', '--reason', 'disk lost', '--stopped', '2026-11-24T11:50:30Z', '--yes'],
    NOW_MS,
  );
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.options, {
    name: 'edge-1',
    reason: 'disk lost',
    by: undefined,
    stoppedMs: NOW_MS - 570_000,
    yes: true,
    dryRun: false,
    json: false,
  });
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['--reason=x'], /name of one collector/],
    [['a', 'b', '--reason=x'], /name of one collector/],
    [['a b', '--reason=x'], /"a b" is no name/],
    [['edge-1'], /give --reason/],
    [['edge-1', '--reason=a\nb'], /give --reason/],
    [['edge-1', '--reason=x', '--stopped=yesterday'], /--stopped is "yesterday"/],
    [['edge-1', '--reason=x', '--stopped=2026-11-24T12:00:01Z'], /time that has passed/],
    [['edge-1', '--reason=x', '--force'], /--force/],
  ];
  for (const [args, message] of wrong) {
    const refused = parseRetireArguments(args, NOW_MS);
    assert.ok(!refused.ok, args.join(' '));
    assert.match(refused.error, message);
  }
});

test('the text states each part of the loss, how it is bounded, and the sum', () => {
  const text = describeLoss({ silent: [GONE], live: ['bootlive00000001'], done: [] }, NOW_MS);
  assert.match(text, /account 41, the last one, heard at 2026-11-24 11:50:00Z, 10 minutes ago/);
  assert.match(text, /lost {14}1,204 records that its accounts say were sent/);
  assert.match(text, /lost at most {6}8,600 more, .* 75 a second, for 120 s, less 400 that are stored/);
  assert.match(
    text,
    /4,194,304 records at most, the capacity of its spool \(268,435,456 bytes, 64 a record\)/,
  );
  assert.match(text, /boot bootlive00000001 is heard and stays/);
  assert.match(text, /Greatest loss: 9,804 records\.\n$/);
});

test('a retirement is the only and final account of an incarnation of its own, which sent nothing', () => {
  const booking = {
    collector: 'edge-1',
    retired: [GONE],
    by: 'operator',
    reason: 'disk lost',
    nowMs: NOW_MS,
  };
  const account = retirementAccount(booking);
  assert.ok(account.final && account.sequence === 0 && account.partitions.length === 0);
  assert.ok(/^[0-9a-z]{16}$/.test(account.boot) && !isKeyedBoot(account.boot));
  assert.notEqual(account.boot, retirementAccount(booking).boot);
  assert.deepEqual(account.retired, [
    {
      boot: GONE.boot,
      last_account: 41,
      accepted_from: NOW_MS - 600_000,
      accepted_to: NOW_MS - 480_000,
      missing: 1_200,
      keyed_missing: [{ partition: 1, records: 4 }],
      accepted_max: 9_000,
      unaccounted_stored: 400,
      spool_records_max: 4_194_304,
      by: 'operator',
      reason: 'disk lost',
    },
  ]);
});
