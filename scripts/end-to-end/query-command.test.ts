import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { answerSchema, QUESTIONS } from '@imscope/schemas/query-api/questions.js';
import { Value } from 'typebox/value';
import { type Ended, startCommand } from '../../services/cli/test/run-command.js';
import { questionCommands } from '../../services/cli/src/query/question-commands.js';
import { openStoreAndQuery, READ_ALL } from '../../services/query/test/query-under-test.js';
import { seededRows, storedRow } from '../../services/query/test/stored-row.js';

const MINUTE_MS = 60_000;
const TO_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 60 * MINUTE_MS;
const FROM_MS = TO_MS - 60 * MINUTE_MS;
const WINDOW = ['--from', new Date(FROM_MS).toISOString(), '--to', String(TO_MS)];
const APP = 101;
const REQUEST_ID = 'request-1';

const { query } = await openStoreAndQuery(async (store) => {
  const one = storedRow({
    time: FROM_MS + 1_000,
    sdk_app_id: 102,
    exit_ip: '::ffff:198.51.100.9',
    request_id: REQUEST_ID,
  });
  const rows = seededRows({ seed: 3, count: 500, sdkAppId: APP, fromMs: FROM_MS, toMs: TO_MS });
  await store.insert([...rows, one, storedRow({ time: FROM_MS + 2_000, sdk_app_id: 102, block_row: 1 })]);
});
await query.app.listen({ host: '127.0.0.1', port: 0 });
const { port } = query.app.server.address() as AddressInfo;

/** `imscope query …` against the service. */
async function ask(args: readonly string[], stdin?: Readable): Promise<Ended> {
  const environment = { IMSCOPE_READ_TOKEN: READ_ALL, COLUMNS: '100' };
  return startCommand(['query', ...args, '--query', `http://127.0.0.1:${port}`], stdin, environment).ended;
}

/** Of the first kind of failure of `seededRows`: a hash of its cause. */
const PATH_VALUES: Readonly<Record<string, string>> = {
  group: 'ae016d1eb35839f1',
  sdk_app_id: String(APP),
  request_id: REQUEST_ID,
};

for (const command of questionCommands()) {
  for (const { question, contract, pathParameters, options } of command.forms) {
    const path = pathParameters.map((name) => PATH_VALUES[name] ?? '1');
    // Questions about the metrics alone have nothing before their term, but all have the last hours.
    const window = 'from' in options ? WINDOW : [];
    // What must be given is a dimension.
    const required = (contract.query.required ?? []).flatMap((name) => [
      `--${name.replaceAll('_', '-')}`,
      'interface',
    ]);
    test(`"query ${[command.name, ...pathParameters].join(' ')}" prints the answer, as a table and as JSON`, async () => {
      const args = [command.name, ...path, ...window, ...required];
      const table = await ask(args);
      assert.equal(table.code, 0, table.stderr);
      assert.ok(table.stdout.startsWith(command.name), table.stdout);
      assert.match(table.stdout, /\ncost: \d/);
      for (const line of table.stdout.split('\n')) assert.ok(line.length < 400, line);
      const json = await ask([...args, '--json']);
      assert.equal(json.code, 0, json.stderr);
      const answer: unknown = JSON.parse(json.stdout);
      assert.deepEqual(Value.Errors(answerSchema(QUESTIONS[question]), answer), []);
    });
  }
}

test('filters reach the service, more than one of a kind and texts with blanks', async () => {
  const overview = ['overview', String(APP), ...WINDOW, '--json', '--outcome', 'service_error', '--outcome'];
  const nowhere = await ask([...overview, 'caller_error', '--region', 'no such region']);
  assert.equal(nowhere.stderr, '');
  assert.equal((JSON.parse(nowhere.stdout) as { data: { requests: number } }).data.requests, 0);
  const both = await ask([...overview, 'success']);
  const { requests, outcomes } = (
    JSON.parse(both.stdout) as { data: { requests: number; outcomes: Record<string, number> } }
  ).data;
  assert.ok(requests > 0 && requests === (outcomes['service_error'] ?? 0) + (outcomes['success'] ?? 0));
});

test('an address is read from the input and never given on the command line', async () => {
  const args = ['requests', '102', ...WINDOW];
  const given = await ask([...args, '--exit-ip', '198.51.100.9']);
  assert.deepEqual([given.code, given.stdout], [2, '']);
  assert.match(given.stderr, /--exit-ip takes no value on the command line.*give --exit-ip -/);
  const read = await ask([...args, '--exit-ip', '-', '--json'], Readable.from(['198.51.100.9\n']));
  const { requests } = (JSON.parse(read.stdout) as { data: { requests: { request_id: string }[] } }).data;
  assert.deepEqual(
    requests.map((row) => row.request_id),
    [REQUEST_ID],
  );
  const empty = await ask([...args, '--exit-ip', '-'], Readable.from(['\n']));
  assert.deepEqual([empty.code, empty.stderr], [2, 'imscope: the input has no value for --exit-ip\n']);
});

test('what is wrong with options is said without asking the service, and ends with code 2', async () => {
  const wrong: [args: string[], says: RegExp][] = [
    [
      ['overview', String(APP), '--from', 'yesterday'],
      /'--from <value>' argument 'yesterday' is invalid. Give RFC 3339/,
    ],
    [
      ['requests', String(APP), '--limit', '0'],
      /'--limit <number>' argument '0' is invalid. Give default 100; 1 to 1000/,
    ],
    [['overview', 'x'], /--sdk-app-id is "x": must be integer/],
    [['overview'], /missing required argument 'SDKAppID'/],
    [['breakdown', String(APP)], /required option '--group-by <value>' not specified/],
    [['nothing'], /unknown command 'nothing'/],
  ];
  for (const [args, says] of wrong) {
    const { code, stdout, stderr } = await ask(args);
    assert.match(stderr, says);
    assert.deepEqual([code, stdout], [2, '']);
  }
});

test('a refusal of the service is printed with its code; of parameters it ends with code 2, else with 1', async () => {
  const parameters = await ask(['overview', String(APP), '--from', 'now-9d', '--to', 'now-8d']);
  assert.equal(parameters.code, 2);
  assert.match(
    parameters.stderr,
    /^imscope: the query service at http:\S+ answers 400 invalid_parameter: to .* is past the term/,
  );
  const token = await startCommand(
    ['query', 'overview', String(APP), '--query', `http://127.0.0.1:${port}`],
    undefined,
    { IMSCOPE_READ_TOKEN: 'no-token-of-anybody-01' },
  ).ended;
  assert.equal(token.code, 1);
  assert.match(token.stderr, /refuses the token: 401 invalid_token/);
});

test('--watch asks again until it is stopped', async () => {
  const running = startCommand(
    [
      'query',
      'overview',
      String(APP),
      ...WINDOW,
      '--json',
      '--watch',
      '1',
      '--query',
      `http://127.0.0.1:${port}`,
    ],
    undefined,
    { IMSCOPE_READ_TOKEN: READ_ALL },
  );
  await running.stdout.has('}}\n{"data"');
  running.interrupt();
  const { code, stdout } = await running.ended;
  assert.equal(code, 0);
  for (const line of stdout.trimEnd().split('\n')) assert.ok('data' in (JSON.parse(line) as object));
});
