import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hashToken } from '@imscope/access/tokens.js';
import { type Answer, runCollector, type RunningCollector } from '../running-collector.js';
import { sampleRecord } from '../sample-record.js';

const SLOW_TOKEN = 'slow-write-token-0000001';
const FREE_TOKEN = 'free-write-token-0000001';
const LIMITED = 7;
const SAMPLED = 8;
const JUDGING = 9;
const KEYED = 10;
const INDEBTED = 11;
const directory = mkdtempSync(join(tmpdir(), 'imscope-limits-'));
const registryFile = join(directory, 'registry.json');

let collector: RunningCollector;

function token(name: string, secret: string, more: object = {}): object {
  return { name, sha256: hashToken(secret), scope: 'write', applications: 'all', ...more };
}

before(async () => {
  const registry = {
    tokens: [token('slow', SLOW_TOKEN, { records_per_second_max: 20 }), token('free', FREE_TOKEN)],
    applications: [
      ...[LIMITED, KEYED, INDEBTED].map((id) => ({ sdk_app_id: id, limit_per_second: 2 })),
      { sdk_app_id: SAMPLED, quota_per_second: 10 },
      { sdk_app_id: JUDGING, codes: { '0': 'service_error', '30001': 'success' } },
    ],
  };
  writeFileSync(registryFile, JSON.stringify(registry));
  collector = await runCollector({ environment: { REGISTRY_FILE: registryFile } });
});

after(async () => {
  await collector.remove();
  rmSync(directory, { recursive: true });
});

let nextId = 0;

function records(count: number, changes: (n: number) => Record<string, unknown>): string {
  return JSON.stringify(
    Array.from({ length: count }, (_, n) =>
      sampleRecord({ time: Date.now(), request_id: `limits-${nextId++}`, ...changes(n) }),
    ),
  );
}

function post(body: string, secret: string, headers: Record<string, string> = {}): Promise<Answer> {
  return collector.post(body, { authorization: `Bearer ${secret}`, ...headers });
}

function errorCode({ body }: Answer): unknown {
  return (body as { error: { code: unknown } }).error.code;
}

type Taken = { accepted: number; rejected_count: number; rejected_by_reason: Record<string, number> };

async function stored(sdkAppId: number) {
  const messages = await collector.messages();
  return messages.flatMap((message) => message.records).filter(({ sdk_app_id: id }) => id === sdkAppId);
}

/** The answer to a request whose body is never sent. */
function answerBeforeBody(): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${SLOW_TOKEN}`,
      'content-type': 'application/json',
      'content-length': 5_000_000,
    };
    const request = httpRequest(collector.url, { method: 'POST', headers }, (response) => {
      resolve(response);
      request.destroy();
    });
    request.on('error', reject);
    request.flushHeaders();
  });
}

/** Sends it again until it is taken. */
async function postUntilTaken(
  body: string,
  secret: string,
  headers?: Record<string, string>,
): Promise<Answer> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const answer = await post(body, secret, headers);
    if (answer.status === 202) return answer;
    assert.deepEqual([answer.status, errorCode(answer)], [429, 'too_many_requests']);
    assert(performance.now() < deadline, 'not taken within a minute');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('a token over its limit gets 429 before its body is read, and is accepted again within it', async () => {
  const taken = await post(
    records(200, () => ({ sdk_app_id: 1 })),
    SLOW_TOKEN,
  );
  assert.equal(taken.status, 202);
  assert.equal(taken.headers.get('ratelimit-policy'), '"token";q=100;w=5');
  assert.match(taken.headers.get('ratelimit') ?? '', /^"token";r=0;t=\d+$/);
  const refused = await answerBeforeBody();
  assert.equal(refused.statusCode, 429);
  // It owes 100, at 20 a second, less what is paid off since.
  assert.match(String(refused.headers['retry-after']), /^[1-6]$/);
  assert.match(String(refused.headers['ratelimit']), /^"token";r=0;t=\d+$/);
  await postUntilTaken(
    records(1, () => ({ sdk_app_id: 1 })),
    SLOW_TOKEN,
  );
  assert.equal((await stored(1)).length, 201);
});

test('records over an application’s limit are refused as rate_limited, those of others are accepted', async () => {
  const mixed = await post(
    records(30, (n) => ({ sdk_app_id: n % 2 === 0 ? LIMITED : 1_400_000_001 })),
    FREE_TOKEN,
  );
  assert.equal(mixed.status, 202);
  const { accepted, rejected_by_reason: reasons } = mixed.body as Taken;
  assert.deepEqual([accepted, reasons], [25, { rate_limited: 5 }]);
  assert.equal(mixed.headers.get('ratelimit-policy'), '"application";q=10;w=5');
  assert.match(mixed.headers.get('ratelimit') ?? '', /^"application";r=0;t=5$/);
  assert.equal((await stored(LIMITED)).length, 10);
});

test('if all records are over the limit the request gets 429 with Retry-After and nothing is accepted', async () => {
  const whole = records(1_000, () => ({ sdk_app_id: INDEBTED }));
  assert.equal((await post(whole, FREE_TOKEN, { 'idempotency-key': 'limits-2' })).status, 202);
  const all = await post(
    records(10, () => ({ sdk_app_id: INDEBTED })),
    FREE_TOKEN,
  );
  assert.deepEqual([all.status, errorCode(all)], [429, 'too_many_requests']);
  // 990 are owed, at 2 a second, and 10 come then.
  const retryAfterS = Number(all.headers.get('retry-after'));
  assert(retryAfterS > 400 && retryAfterS <= 500, String(retryAfterS));
  assert.equal((await stored(INDEBTED)).length, 1_000);
});

test('a keyed request is accepted or refused entirely, so that its repetition is the same request', async () => {
  await post(
    records(10, () => ({ sdk_app_id: KEYED })),
    FREE_TOKEN,
  );
  const body = records(12, () => ({ sdk_app_id: KEYED }));
  const key = { 'idempotency-key': 'limits-1' };
  assert.equal((await post(body, FREE_TOKEN, key)).status, 429);
  assert.equal((await stored(KEYED)).length, 10);
  const taken = await postUntilTaken(body, FREE_TOKEN, key);
  assert.equal((taken.body as Taken).accepted, 12);
  assert.equal((await stored(KEYED)).length, 22);
});

test('an application’s own codes classify its outcomes', async () => {
  const body = records(2, (n) => ({ sdk_app_id: JUDGING, code: n === 0 ? 0 : 30_001 }));
  assert.equal((await post(body, FREE_TOKEN)).status, 202);
  const outcomes = (await stored(JUDGING)).map(({ code, outcome }) => [code, outcome]);
  assert.deepEqual(outcomes, [
    [0, 'service_error'],
    [30_001, 'success'],
  ]);
});

test('over its quota an application keeps every error, its metrics and account count every request', async () => {
  for (let sent = 0; sent < 10; sent++) {
    const body = records(500, (n) => ({ sdk_app_id: SAMPLED, code: n % 50 === 0 ? 91_000 : 0 }));
    const { status, body: answer } = await post(body, FREE_TOKEN);
    assert.deepEqual([status, (answer as Taken).accepted], [202, 500]);
  }
  assert((await collector.metric('requests_limited_total')) >= 3);
  const sampledOut = await collector.metric('records_sampled_out_total');
  await collector.stop();
  const logged = await stored(SAMPLED);
  assert.equal(logged.length + sampledOut, 5_000);
  assert(sampledOut > 3_500, String(sampledOut));
  const errors = logged.filter(({ outcome }) => outcome === 'service_error');
  assert.deepEqual([errors.length, errors.every(({ weight }) => weight === 1)], [100, true]);
  const metrics = (await collector.metricMessages()).flatMap((message) => message.records);
  const sum = (of: (row: (typeof metrics)[number]) => number): number =>
    metrics.filter(({ sdk_app_id: id }) => id === SAMPLED).reduce((total, row) => total + of(row), 0);
  assert.deepEqual([sum((row) => row.success), sum((row) => row.service_error)], [4_900, 100]);
  assert.equal(
    sum((row) => row.logged_weight),
    logged.reduce((total, { weight }) => total + weight, 0),
  );
  const account = (await collector.accountMessages()).at(-1)?.records[0];
  assert.equal(account?.final, true);
  const ofAccount = (id: number) => account.applications.find(({ sdk_app_id: found }) => found === id);
  assert.deepEqual([ofAccount(SAMPLED)?.accepted, ofAccount(SAMPLED)?.sampled_out], [5_000, sampledOut]);
  assert.deepEqual(ofAccount(INDEBTED)?.rejected, { rate_limited: 10 });
  assert.deepEqual(ofAccount(LIMITED)?.rejected, { rate_limited: 5 });
});
