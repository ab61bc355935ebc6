import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ErrorCode } from '@imscope/runtime/http-errors.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { RefusalLog } from '../../src/clients/refusal-log.js';
import { EAST_TOKEN, runCollector, type RunningCollector, WRITE_TOKEN } from '../running-collector.js';
import { sampleRecord } from '../sample-record.js';

let collector: RunningCollector;
const lines: string[] = [];

before(async () => {
  collector = await runCollector({ onLog: (line) => lines.push(line) });
});

after(() => collector.remove());

/** Lines of the log with this message. */
function said(message: string): Record<string, unknown>[] {
  return lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => msg === message)
    .map(
      ({ level: _level, time: _time, pid: _pid, hostname: _host, name: _name, service: _service, ...rest }) =>
        rest,
    );
}

function record(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return sampleRecord({ time: Date.now(), ...changes });
}

test('refused records are logged by token and reason, with position and field and without any value', async () => {
  const body = [
    record({ exit_ip: 'marked-value-7' }),
    record({ 'field-13800138000': 'marked-value-7' }),
    record({ latency_ms: 'marked-value-7' }),
    record({ exit_ip: 'marked-value-7' }),
  ];
  await collector.post(JSON.stringify(body));
  await collector.post('{"time":marked-value-7\n', { 'content-type': 'application/x-ndjson' });
  assert.deepEqual(said('records are refused'), [
    line('json', 'invalid_ip', 2, { index: 0, field: 'exit_ip' }),
    line('json', 'unknown_field', 1, { index: 1, field: 'field-<number>' }),
    line('json', 'wrong_type', 1, { index: 2, field: 'latency_ms' }),
    line('ndjson', 'malformed_json', 1, { index: 0 }),
  ]);
  assert.ok(!lines.join('').includes('marked-value'));
  assert.ok(!lines.join('').includes(WRITE_TOKEN));
});

function line(format: string, reason: string, records: number, example: object): object {
  return { sender: 'all', format, reason, records, example, msg: 'records are refused' };
}

test('the first of many equal events is logged at once, the others are counted in a later line', async () => {
  const before = said('records are refused').length;
  for (let sent = 0; sent < 20; sent++) {
    await collector.post(JSON.stringify(record({ code: 'x' })), { authorization: `Bearer ${EAST_TOKEN}` });
  }
  const [first] = said('records are refused').slice(before);
  assert.deepEqual([first?.['sender'], first?.['reason'], first?.['records']], ['east', 'wrong_type', 1]);
  assert.ok(said('records are refused').length - before < 20);
});

test('refused requests are logged by token and code, without a token by network and code', async () => {
  await collector.post('{"marked-value-8', { 'content-type': 'application/json; charset=utf-8' });
  await collector.post('x', { 'content-type': 'text/plain' });
  await collector.post('x', { authorization: 'Bearer not-a-token-marked-9' });
  assert.deepEqual(
    said('requests are refused').map(({ sender, status, reason, requests, example }) => [
      sender,
      status,
      reason,
      requests,
      example,
    ]),
    [
      [
        'all',
        400,
        'unreadable_body',
        1,
        { path: '/v1/request-logs', contentType: 'application/json; charset=utf-8' },
      ],
      ['all', 415, 'unsupported_media_type', 1, { path: '/v1/request-logs', contentType: 'text/plain' }],
    ],
  );
  const [refused] = said('requests refused for their token');
  assert.deepEqual(
    [refused?.['client'], refused?.['status'], refused?.['reason'], refused?.['sender']],
    ['127.0.0.0/24', 401, 'invalid_token', undefined],
  );
  assert.ok(!/marked/.test(lines.join('')));
  assert.equal(await collector.metric('requests_refused_total', 'unreadable_body'), 1);
});

test('a refusal that the sender retries is logged as info, any other as a warning', () => {
  const levels: unknown[] = [];
  const write = (text: string): void => void levels.push(JSON.parse(text).level);
  const log = new RefusalLog(createLogger('collector', 'info', { write }), (text) => text);
  const sent = { sender: 'east', client: '192.0.2.1', path: '/v1/request-logs' };
  const refused = (code: ErrorCode): void =>
    log.requestRefused({ ...sent, code, contentType: undefined, contentEncoding: undefined });
  const again: ErrorCode[] = ['request_timeout', 'too_many_requests', 'unavailable', 'timeout'];
  for (const code of again) refused(code);
  assert.deepEqual(levels, [30, 30, 30, 30]);
  for (const code of ['unreadable_body', 'body_too_large'] as const) refused(code);
  assert.deepEqual(levels.slice(4), [40, 40]);
  log.stop();
});

test('refused records of a token for one application count for that application', async () => {
  await collector.post(`${JSON.stringify(record({ sdk_app_id: 1_400_000_001 }))}\n{\n`, {
    authorization: `Bearer ${EAST_TOKEN}`,
    'content-type': 'application/x-ndjson',
  });
  await collector.stop();
  const counts = new Map<unknown, number>();
  for (const { sender, reason, records } of said('records are refused')) {
    if (sender === 'east') counts.set(reason, (counts.get(reason) ?? 0) + Number(records));
  }
  assert.deepEqual(
    [...counts],
    [
      ['wrong_type', 20],
      ['application_not_allowed', 1],
      ['malformed_json', 1],
    ],
  );
  const accounts = (await collector.accountMessages()).flatMap(({ records }) => records);
  const last = accounts.at(-1);
  const rejected = new Map(last?.applications.map((one) => [one.sdk_app_id, { ...one.rejected }]));
  assert.deepEqual(
    rejected,
    new Map([
      [0, { malformed_json: 1 }],
      [1_400_000_001, { invalid_ip: 2, unknown_field: 1, wrong_type: 1 }],
      [1_400_000_077, { application_not_allowed: 1, malformed_json: 1, wrong_type: 20 }],
    ]),
  );
});
