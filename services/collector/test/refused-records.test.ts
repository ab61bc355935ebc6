import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRejection, REJECT_REASONS, type RejectReason } from '../src/intake/reject-reasons.js';
import { validateRecord } from '../src/intake/validate-record.js';
import { sampleRecord, SAMPLE_TIME_MS, validationContext as context } from './sample-record.js';

const HOUR_MS = 3_600_000;

const NUMBER_FIELDS = ['sdk_app_id', 'latency_ms', 'upstream_ms', 'rtt_ms', 'code', 'http_status'];
const NO_NUMBERS = [
  '',
  ' 5',
  '5 ',
  '+5',
  '5.',
  '.5',
  '0x5',
  '5e1',
  '1_000',
  '1,5',
  '٣',
  'NaN',
  'Infinity',
  'five',
];

const REFUSED: readonly (readonly [reason: RejectReason, record: unknown])[] = [
  ['not_an_object', null],
  ['not_an_object', 5],
  ['not_an_object', 'text'],
  ['not_an_object', [sampleRecord()]],
  ...['time', 'sdk_app_id', 'interface', 'exit_ip', 'latency_ms'].flatMap((field) =>
    [undefined, null].map((value) => ['missing_field', sampleRecord({ [field]: value })] as const),
  ),
  ...Object.keys(sampleRecord()).flatMap((field) =>
    [true, {}, []].map((value) => ['wrong_type', sampleRecord({ [field]: value })] as const),
  ),
  ...NUMBER_FIELDS.flatMap((field) =>
    NO_NUMBERS.map((text) => ['wrong_type', sampleRecord({ [field]: text })] as const),
  ),
  ['wrong_type', sampleRecord({ code: '1.5' })],
  ['out_of_range', sampleRecord({ sdk_app_id: '0' })],
  ['out_of_range', sampleRecord({ sdk_app_id: '9007199254740993' })],
  ['out_of_range', sampleRecord({ latency_ms: '-1' })],
  ['out_of_range', sampleRecord({ code: '2147483648' })],
  ['wrong_type', sampleRecord({ code: 1.5 })],
  ['wrong_type', sampleRecord({ sdk_app_id: 1_400_000_000.5 })],
  ['wrong_type', sampleRecord({ exit_ip: 3_405_803_783 })],
  ['wrong_type', sampleRecord({ cause: 5 })],
  ['unknown_field', sampleRecord({ latency: 5 })],
  ['unknown_field', JSON.parse('{"__proto__": {"time": 1}, "constructor": 1}')],
  ['out_of_range', sampleRecord({ sdk_app_id: 0 })],
  ['out_of_range', sampleRecord({ sdk_app_id: -1 })],
  ['out_of_range', sampleRecord({ sdk_app_id: 2 ** 52 })],
  ['out_of_range', sampleRecord({ latency_ms: -0.001 })],
  ['out_of_range', sampleRecord({ latency_ms: 86_400_001 })],
  ['out_of_range', sampleRecord({ latency_ms: 1e308 })],
  [
    'out_of_range',
    JSON.parse(JSON.stringify(sampleRecord({ rtt_ms: 1 })).replace('"rtt_ms":1', '"rtt_ms":1e999')),
  ],
  ['out_of_range', sampleRecord({ upstream_ms: -1 })],
  ['out_of_range', sampleRecord({ code: 2 ** 31 })],
  ['out_of_range', sampleRecord({ http_status: 99 })],
  ['out_of_range', sampleRecord({ http_status: 600 })],
  ['invalid_time', sampleRecord({ time: 'yesterday' })],
  ['invalid_time', sampleRecord({ time: '' })],
  ['invalid_time', sampleRecord({ time: '2024-05-06' })],
  ...['0x18f', '1e12', ' 1714979289123', '1,714,979,289,123', '1714979289123ms'].map(
    (time) => ['invalid_time', sampleRecord({ time })] as const,
  ),
  ['invalid_time', sampleRecord({ time: Number.POSITIVE_INFINITY })],
  ['time_too_old', sampleRecord({ time: SAMPLE_TIME_MS - 24 * HOUR_MS - 1 })],
  ['time_too_old', sampleRecord({ time: Math.floor(SAMPLE_TIME_MS / 1_000) })],
  ['time_too_old', sampleRecord({ time: -8e15 })],
  ['time_too_new', sampleRecord({ time: SAMPLE_TIME_MS + 5 * 60_000 + 1 })],
  ['time_too_new', sampleRecord({ time: SAMPLE_TIME_MS * 1_000 })],
  ['invalid_ip', sampleRecord({ exit_ip: '' })],
  ['invalid_ip', sampleRecord({ exit_ip: '203.0.113.256' })],
  ['invalid_ip', sampleRecord({ exit_ip: 'fe80::1%eth0' })],
  ...[
    'gateway.example',
    'gateway.example:80',
    '203.0.113.7:',
    '203.0.113.7:65536',
    '203.0.113.7:-1',
    '203.0.113.7:80:80',
    '203.0.113.7, 203.0.113.8',
    '[203.0.113.7]:80',
    '[2001:db8::7',
    '2001:db8::7]:80',
    '[2001:db8::7]80',
    '[2001:db8::7]:65536',
    '[fe80::1%eth0]:80',
    '[]:80',
    ':80',
  ].map((exitIp) => ['invalid_ip', sampleRecord({ exit_ip: exitIp })] as const),
  ['invalid_interface', sampleRecord({ interface: '' })],
  ['invalid_interface', sampleRecord({ interface: 'openim/sendmsg?usersig=x' })],
  ['invalid_interface', sampleRecord({ interface: 'openim/send msg' })],
  ['invalid_interface', sampleRecord({ interface: 'users/{id' })],
  ['invalid_interface', sampleRecord({ interface: 'users/{name}' })],
  ['too_long', sampleRecord({ interface: 'x'.repeat(129) })],
  ['too_long', sampleRecord({ exception: 'x'.repeat(257) })],
  ['too_long', sampleRecord({ cause: 'x'.repeat(2_049) })],
  ['too_long', sampleRecord({ node: 'x'.repeat(129) })],
  ['too_long', sampleRecord({ region: 'x'.repeat(129) })],
  ['too_long', sampleRecord({ platform: 'x'.repeat(129) })],
  ['too_long', sampleRecord({ sdk_version: 'x'.repeat(129) })],
  ['too_long', sampleRecord({ request_id: 'x'.repeat(129) })],
];

test('each kind of invalid record is refused with its reason and a detail of bounded length', () => {
  for (const [reason, record] of REFUSED) {
    const result = validateRecord(record, context());
    const shown = JSON.stringify(record)?.slice(0, 300);
    assert(isRejection(result), `taken: ${shown}`);
    assert.equal(result.reason, reason, shown);
    assert(result.detail.length > 10 && result.detail.length < 400, result.detail);
  }
});

test('every reason that a record by itself can have is covered above', () => {
  const elsewhere = new Set<string>([
    'malformed_json',
    'application_not_allowed',
    'application_suspended',
    'application_terminated',
    'application_of_other_region',
    'application_unknown',
    'rate_limited',
  ]);
  const covered = new Set<string>(REFUSED.map(([reason]) => reason));
  for (const reason of Object.keys(REJECT_REASONS)) {
    assert(covered.has(reason) || elsewhere.has(reason), reason);
  }
});
