import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, AskError, createAsk, type Transport } from '../src/query-api/ask.js';
import { QUESTIONS } from '../src/query-api/questions.js';

const TIME = '2024-01-02T03:04:05.678Z';
const AROUND = {
  window: { from: TIME, to: TIME, step: null, source: 'accounts', metrics: null, logged_share: null },
  completeness: { status: 'complete', ratio: 1, watermark: TIME, silent_collectors: [] },
};
const REFUSALS = { data: { records: 0, reasons: [] }, ...AROUND };

/** A transport with a fixed answer. */
const answering =
  (status: number, body: unknown): Transport =>
  async () => ({ status, text: async () => (typeof body === 'string' ? body : JSON.stringify(body)) });

const askRefusals = (transport: Transport, signal?: AbortSignal) =>
  createAsk(transport)('refusals', { sdk_app_id: 7 }, signal);

const askVersions = (body: unknown) => createAsk(answering(200, body))('versions', { sdk_app_id: 7 });

async function failureOf(promise: Promise<unknown>): Promise<AskError> {
  const error: unknown = await promise.then(
    () => assert.fail('it was answered'),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof AskError);
  return error;
}

test('an address holds the application in its path, lists as repeated parameters, and no undefined value', () => {
  const asked = { sdk_app_id: 1_400_000_001, from: 'now-1h', interface: ['a/b', 'c d'], code: ['none'] };
  assert.equal(
    addressOf('overview', asked),
    '/v1/applications/1400000001/overview?from=now-1h&interface=a%2Fb&interface=c+d&code=none',
  );
  assert.equal(addressOf('fleetRefusals', {}), '/v1/refusals');
});

test('a question about one application has the application in its path, others have not', () => {
  for (const [name, { path, scope }] of Object.entries(QUESTIONS)) {
    assert.equal(path.includes('/:sdk_app_id/'), scope === 'application', name);
  }
});

test('an answer of the contract is returned unchanged', async () => {
  const asked: string[] = [];
  const answer = await askRefusals(async (path, options) => {
    asked.push(`${options.method} ${path}`);
    return answering(200, REFUSALS)(path, options);
  });
  assert.deepEqual(asked, ['GET /v1/applications/7/refusals']);
  assert.deepEqual(answer, REFUSALS);
});

test('fields that the contract does not know are no fault: the service may be newer', async () => {
  const newer = { ...REFUSALS, data: { ...REFUSALS.data, further: 1 }, further: 2 };
  assert.deepEqual(await askRefusals(answering(200, newer)), newer);
});

test('an answer that is not of the contract fails with a stable code and the place that is wrong', async () => {
  const cases: [unknown, RegExp][] = [
    [{ ...REFUSALS, data: { records: -1, reasons: [] } }, /: data\/records is wrong/],
    [{ ...REFUSALS, window: undefined }, /: window is wrong/],
    [{ ...REFUSALS, completeness: { status: 'perfect' } }, /: completeness\/status is wrong/],
    ['<html>', /no JSON object/],
  ];
  for (const [body, words] of cases) {
    const { code, status, message } = await failureOf(askRefusals(answering(200, body)));
    assert.deepEqual({ code, status }, { code: 'unreadable_answer', status: 200 });
    assert.match(message, words);
    assert.match(message, /"refusals"/);
  }
});

test('a list without left_out is read, for older services did not send it; a wrong one is not', async () => {
  assert.deepEqual((await askVersions({ data: [], ...AROUND })).data, []);
  assert.match(
    (await failureOf(askVersions({ data: [], ...AROUND, left_out: 'few' }))).message,
    /: left_out is wrong/,
  );
});

test('an error answer fails with its own code, message and status', async () => {
  const body = { error: { code: 'not_allowed', message: 'ask for a token that may' } };
  const { code, status, message } = await failureOf(askRefusals(answering(403, body)));
  assert.deepEqual([code, status, message], ['not_allowed', 403, 'ask for a token that may']);
});

test('an error that is none of the service keeps what was received', async () => {
  const { code, status, received } = await failureOf(askRefusals(answering(502, 'Bad Gateway')));
  assert.deepEqual([code, status, received], ['unreadable_answer', 502, 'Bad Gateway']);
});

test('without an answer the code says whether it was too slow or out of reach, and the cause is kept', async () => {
  const cause = new TypeError('fetch failed');
  const away = await failureOf(askRefusals(() => Promise.reject(cause)));
  assert.deepEqual([away.code, away.status, away.cause], ['network_unreachable', 0, cause]);
  const slow = await failureOf(
    askRefusals(() => Promise.reject(new DOMException('too slow', 'TimeoutError'))),
  );
  assert.equal(slow.code, 'timed_out');
});

test('a question that the caller gave up rejects with the reason of the caller', async () => {
  const reason = new Error('left the page');
  const signal = AbortSignal.abort(reason);
  await assert.rejects(
    askRefusals((_path, options) => Promise.reject(options.signal?.reason), signal),
    (error) => error === reason,
  );
});
