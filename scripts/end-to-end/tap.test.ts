import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { after, before, test } from 'node:test';
import {
  READ_TOKEN as COLLECTORS_READ_TOKEN,
  runCollector,
  type RunningCollector,
} from '../../services/collector/test/running-collector.js';
import { sampleRecord } from '../../services/collector/test/sample-record.js';
import { type RunningCommand, startCommand } from '../../services/cli/test/run-command.js';

let collector: RunningCollector;

before(async () => {
  collector = await runCollector();
});

after(() => collector.remove());

/** Starts a tap with the token in its environment, and waits until it is open. */
async function startTap(...args: readonly string[]): Promise<RunningCommand> {
  const url = new URL(collector.url).origin;
  while ((await collector.metric('taps')) > 0) await new Promise((resolve) => setImmediate(resolve));
  const command = startCommand(['tap', '--collector', url, ...args], undefined, {
    IMSCOPE_READ_TOKEN: COLLECTORS_READ_TOKEN,
  });
  while ((await collector.metric('taps')) === 0) await new Promise((resolve) => setImmediate(resolve));
  return command;
}

async function send(...records: readonly Record<string, unknown>[]): Promise<void> {
  const body = JSON.stringify(records.map((record) => sampleRecord({ time: Date.now(), ...record })));
  assert.equal((await collector.post(body)).status, 202);
}

test('each record is one line with its main fields, and --count ends the tap', async () => {
  const command = await startTap('--count', '2');
  await send({ cause: 'upstream timed out', code: 91_000 }, { latency_ms: -1 }, {});
  const { code, stdout } = await command.ended;
  assert.equal(code, 0);
  const [header, record, rejected, none] = stripVTControlCharacters(stdout).split('\n');
  assert.match(header ?? '', /^TIME \(UTC\) +APPLICATION INTERFACE +OUTCOME +CODE HTTP +LATENCY EXIT +WHY$/);
  assert.match(
    record ?? '',
    /^\d\d:\d\d:\d\d\.\d{3} +1400000001 openim\/sendmsg +service_error +91000 +200 +12\.3 ms 203\.0\.113\.0\/24 +Timeout: upstream timed out$/,
  );
  assert.match(rejected ?? '', / rejected out_of_range: latency_ms is -1: .* \(token all\)$/);
  assert.equal(none, '');
});

test('--json prints the collector’s lines unchanged, the collector filters, and Ctrl-C ends with code 0', async () => {
  const command = await startTap('--json', '--interface', 'group/', '--outcome', 'success');
  await send({}, { interface: 'group/create', request_id: 'wanted' });
  await command.stdout.has('wanted');
  command.interrupt();
  const { code, stdout } = await command.ended;
  assert.equal(code, 0);
  const [first, ...others] = stdout.trimEnd().split('\n');
  assert.deepEqual(others, []);
  assert.equal((JSON.parse(first ?? '') as { request_id: string }).request_id, 'wanted');
});

test('--for ends the tap; a collector that is down or a wrong filter prints what to do', async () => {
  const environment = { IMSCOPE_READ_TOKEN: COLLECTORS_READ_TOKEN };
  const away = await startCommand(['tap', '--collector', 'http://127.0.0.1:1'], undefined, environment).ended;
  assert.equal(away.code, 1);
  assert.match(away.stderr, /cannot be read \(ECONNREFUSED\): is it running\?/);
  const url = new URL(collector.url).origin;
  const { code } = await startCommand(['tap', '--collector', url, '--for', '200ms'], undefined, environment)
    .ended;
  assert.equal(code, 0);
  const wrong = await startCommand(['tap', '--collector', url, '--outcome', 'fine'], undefined, environment)
    .ended;
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /400: outcome is "fine": give some of success/);
});
