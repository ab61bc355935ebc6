import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { SendSummary } from '../src/send-summary.js';
import {
  disconnect,
  type FakeCollector,
  refuse,
  rejectPlaces,
  type Script,
  startFakeCollector,
} from './fake-collector.js';
import { type Ended, runCommand, startCommand, WRITE_TOKEN } from './run-command.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-send-'));
after(() => rmSync(directory, { recursive: true }));

function record(index: number, time: number | string = 1_700_000_000_000 + index): Record<string, unknown> {
  return {
    time,
    sdk_app_id: 1_400_000_001 + (index % 2),
    interface: 'openim/sendmsg',
    exit_ip: '192.0.2.1',
    latency_ms: index,
  };
}

function fileOf(name: string, lines: readonly string[]): string {
  const file = join(directory, name);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

function ndjson(name: string, records: number): string {
  return fileOf(
    name,
    Array.from({ length: records }, (_, index) => JSON.stringify(record(index))),
  );
}

async function withCollector<T>(
  scripts: Script[],
  use: (collector: FakeCollector) => Promise<T>,
): Promise<T> {
  const collector = await startFakeCollector(scripts);
  try {
    return await use(collector);
  } finally {
    await collector.stop();
  }
}

/** Every line that was read must have exactly one result. */
function summaryOf({ stdout, stderr }: Ended): SendSummary {
  assert.ok(stdout.startsWith('{'), `${stdout}${stderr}`);
  const summary = JSON.parse(stdout) as SendSummary;
  assert.equal(summary.read, summary.accepted + summary.rejected + summary.in_doubt + summary.not_sent);
  return summary;
}

const send = (file: string, collector: FakeCollector, ...more: string[]): Promise<Ended> =>
  runCommand(['send', file, '--format', 'ndjson', '--collector', collector.url, '--json', ...more]);

test('every record of a file arrives once, unchanged, with the token, in few concurrent requests', async () => {
  await withCollector([], async (collector) => {
    const file = ndjson('plain.ndjson', 2_050);
    const ended = await send(file, collector, '--batch', '100', '--in-flight', '3');
    assert.equal(ended.code, 0);
    const summary = summaryOf(ended);
    assert.deepEqual(
      [summary.read, summary.accepted, summary.rejected, summary.ended_early],
      [2_050, 2_050, 0, null],
    );
    assert.equal(collector.received.length, 21);
    assert.ok(collector.openMax() <= 3);
    for (const { authorization, contentType, path } of collector.received) {
      assert.deepEqual(
        [authorization, contentType, path],
        [`Bearer ${WRITE_TOKEN}`, 'application/x-ndjson', '/v1/request-logs'],
      );
    }
    assert.deepEqual(
      collector.accepted.toSorted((a, b) => Number(a['latency_ms']) - Number(b['latency_ms'])),
      Array.from({ length: 2_050 }, (_, index) => record(index)),
    );
    assert.deepEqual(
      summary.applications.map(({ sdk_app_id: id, sent, link }) => [id, sent, link]),
      [1_400_000_001, 1_400_000_002].map((id) => [id, 1_025, `http://127.0.0.1:8080/applications/${id}`]),
    );
  });
});

test('stdin and gzip are read as a plain file is', async () => {
  await withCollector([], async (collector) => {
    const packed = gzipSync(`${JSON.stringify(record(1))}\n${JSON.stringify(record(2))}`);
    const args = ['send', '-', '--format', 'ndjson', '--collector', collector.url, '--json'];
    const ended = await runCommand(args, Readable.from([packed]));
    assert.deepEqual([ended.code, summaryOf(ended).accepted], [0, 2]);
  });
});

test('lines that are not a record are refused by the command with their numbers, and the other lines are sent', async () => {
  await withCollector([], async (collector) => {
    const file = fileOf('mixed.ndjson', [
      JSON.stringify(record(1)),
      '{"time":',
      '',
      '[1,2]',
      JSON.stringify(record(2)),
      JSON.stringify({ ...record(3), cause: 'x'.repeat(70_000) }),
      'null',
    ]);
    const ended = await send(file, collector);
    assert.equal(ended.code, 3);
    const summary = summaryOf(ended);
    assert.deepEqual([summary.read, summary.accepted], [6, 2]);
    assert.deepEqual(
      summary.rejected_by_reason.map(({ by, reason, count, lines }) => [by, reason, count, lines]),
      [
        ['imscope', 'not_an_object', 2, [4, 7]],
        ['imscope', 'malformed_json', 1, [2]],
        ['imscope', 'line_too_long', 1, [6]],
      ],
    );
  });
});

test("the collector's refusals are reported by line of the file, counting blank lines and the command's own refusals", async () => {
  await withCollector([rejectPlaces([0, 2], 'time_too_old')], async (collector) => {
    const file = fileOf('refused.ndjson', [
      '',
      JSON.stringify(record(1)),
      'x',
      JSON.stringify(record(2)),
      JSON.stringify(record(3)),
    ]);
    const ended = await send(file, collector);
    const summary = summaryOf(ended);
    assert.deepEqual([ended.code, summary.accepted, summary.rejected], [3, 1, 3]);
    assert.deepEqual(
      summary.rejected_by_reason.map(({ by, reason, lines }) => [by, reason, lines]),
      [
        ['collector', 'time_too_old', [2, 5]],
        ['imscope', 'malformed_json', [3]],
      ],
    );
  });
});

test('refusals beyond the hundred that the collector lists are counted under their reason', async () => {
  await withCollector(
    [
      rejectPlaces(
        Array.from({ length: 250 }, (_, place) => place),
        'time_too_old',
      ),
    ],
    async (collector) => {
      const summary = summaryOf(await send(ndjson('many.ndjson', 300), collector));
      assert.deepEqual([summary.accepted, summary.rejected], [50, 250]);
      assert.deepEqual(
        summary.rejected_by_reason.map(({ reason, count }) => [reason, count]),
        [['time_too_old', 250]],
      );
    },
  );
});

test('after 429 and 503 the request is sent again, and nothing is sent twice', async () => {
  const scripts = [
    refuse(503, 'Kafka does not answer: nothing was accepted', { 'retry-after': '1' }),
    refuse(429, 'slow down'),
  ];
  await withCollector(scripts, async (collector) => {
    const ended = await send(ndjson('busy.ndjson', 50), collector, '--in-flight', '1');
    const summary = summaryOf(ended);
    assert.deepEqual([ended.code, summary.accepted, summary.retries], [0, 50, 2]);
    assert.equal(collector.accepted.length, 50);
    assert.match(ended.stderr, /asks to wait: 503: Kafka does not answer/);
  });
});

test('a collector that is not started yet is waited for', async () => {
  const holder = createServer();
  holder.listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const address = holder.address();
  assert.ok(address !== null && typeof address === 'object');
  holder.close();
  await once(holder, 'close');
  const url = `http://127.0.0.1:${address.port}`;
  const command = startCommand([
    'send',
    ndjson('early.ndjson', 10),
    '--format',
    'ndjson',
    '--collector',
    url,
    '--json',
  ]);
  await command.stderr.has('is it running?');
  const collector = await startFakeCollector([], address.port);
  try {
    const ended = await command.ended;
    const summary = summaryOf(ended);
    assert.deepEqual([ended.code, summary.accepted, collector.accepted.length], [0, 10, 10]);
    assert.ok(summary.retries >= 1);
  } finally {
    await collector.stop();
  }
});

test('a collector that stays unreachable ends the command with what to do, and nothing counts as sent', async () => {
  const collector = await startFakeCollector();
  await collector.stop();
  const ended = await send(ndjson('away.ndjson', 5_000), collector, '--retry-for', '0', '--batch', '100');
  const summary = summaryOf(ended);
  assert.equal(ended.code, 1);
  assert.deepEqual([summary.accepted, summary.in_doubt], [0, 0]);
  assert.ok(summary.not_sent >= 100 && summary.read < 5_000, 'reading ended early');
  assert.equal(summary.not_sent_ranges[0]?.from, 1);
  assert.match(
    String(summary.ended_early),
    /cannot reach the collector .*ECONNREFUSED.*is it running\? \.\/scripts\/start/,
  );
});

test('a connection lost after the body was sent, and an answer of 504, are sent again under the same key', async () => {
  const timeout = refuse(504, 'some records of this request may be stored');
  await withCollector([disconnect, timeout], async (collector) => {
    const file = ndjson('lost.ndjson', 250);
    const summary = summaryOf(await send(file, collector, '--batch', '100', '--in-flight', '1'));
    assert.deepEqual([summary.accepted, summary.in_doubt, summary.retries], [250, 0, 2]);
    const [first, second, third, ...others] = collector.received.map(({ key }) => key);
    assert.match(first ?? '', /^[\da-f-]{36}$/);
    assert.deepEqual([second, third], [first, first]);
    assert.equal(new Set([first, ...others]).size, 3, 'every request has a key of its own');
  });
});

test('without an answer in time records are in doubt and reported with their lines, whatever the last failure is', async () => {
  const busy = refuse(503, 'send it again later', { 'retry-after': '1' });
  for (const last of [[], [busy], [refuse(401, 'no')]]) {
    await withCollector([disconnect, ...last], async (collector) => {
      const retryFor = last.length === 0 ? '0' : '1';
      const options = ['--batch', '100', '--in-flight', '1', '--retry-for', retryFor];
      const summary = summaryOf(await send(ndjson('doubt.ndjson', 100), collector, ...options));
      assert.deepEqual([summary.accepted, summary.in_doubt, summary.not_sent], [0, 100, 0]);
      assert.deepEqual(
        summary.in_doubt_ranges.map(({ from, to, records }) => [from, to, records]),
        [[1, 100, 100]],
      );
    });
  }
  const file = ndjson('people.ndjson', 250);
  const people = await withCollector([disconnect], (other) =>
    runCommand(['send', file, '--format', 'ndjson', '--collector', other.url, '--retry-for', '0']),
  );
  assert.match(
    people.stdout,
    /in doubt: 250 records of lines 1 to 250: the connection was lost after the body was sent/,
  );
  assert.match(people.stdout, /may or may not be stored/);
});

const lie: Script = (_request, response) => {
  response.writeHead(202).end('{"accepted":11,"rejected":[]}');
};

test('an answer that does not account for every record is in doubt', async () => {
  await withCollector([lie], async (collector) => {
    const summary = summaryOf(await send(ndjson('lie.ndjson', 10), collector));
    assert.deepEqual([summary.accepted, summary.in_doubt], [0, 10]);
  });
});

test('a refused token, another server and a too large body end the command with what to do', async () => {
  for (const [status, expected] of [
    [401, /refuses the token.*IMSCOPE_WRITE_TOKEN or --token-file/],
    [404, /no collector answers .*check --collector/],
    [413, /give a smaller --batch/],
    [400, /refuses the request: 400: no/],
  ] as const) {
    await withCollector([refuse(status, 'no')], async (collector) => {
      const ended = await send(ndjson('ends.ndjson', 10), collector);
      const summary = summaryOf(ended);
      assert.deepEqual([ended.code, summary.not_sent, collector.received.length], [1, 10, 1]);
      assert.match(String(summary.ended_early), expected);
    });
  }
});

test('--shift-to-now moves the newest record’s time to now and keeps all distances', async () => {
  await withCollector([], async (collector) => {
    const times = ['2019-07-01T11:11:00.250+08:00', 1_561_950_000_000, '2019-07-01T03:00:00Z', 'never'];
    const file = fileOf(
      'old.ndjson',
      times.map((time, index) => JSON.stringify(record(index, time))),
    );
    const before = Date.now();
    const summary = summaryOf(await send(file, collector, '--shift-to-now'));
    const [newest, second, third, unread] = collector.accepted.map(({ time }) => time);
    assert.ok(Number(newest) >= before && Number(newest) <= Date.now());
    assert.equal(Number(newest) - Number(second), Date.parse('2019-07-01T03:11:00.250Z') - 1_561_950_000_000);
    assert.equal(Number(newest) - Number(third), 660_250);
    assert.equal(unread, 'never');
    assert.deepEqual([summary.shift?.newest, summary.shift?.newest_line], ['2019-07-01T03:11:00.250Z', 1]);
  });
});

test('--shift-to-now is refused with stdin', async () => {
  const ended = await runCommand(['send', '-', '--format', 'ndjson', '--shift-to-now']);
  assert.equal(ended.code, 2);
  assert.match(ended.stderr, /reads the file twice, so stdin is not possible/);
});

test('Ctrl-C ends in order: requests that were sent are counted, and the summary says where it stopped', async () => {
  await withCollector([], async (collector) => {
    const stdin = new PassThrough();
    const args = ['send', '-', '--format', 'ndjson', '--collector', collector.url, '--json', '--batch', '1'];
    const command = startCommand(args, stdin);
    stdin.write(`${JSON.stringify(record(1))}\n`);
    while (collector.received.length === 0) await delay(10);
    command.interrupt();
    const ended = await command.ended;
    const summary = summaryOf(ended);
    assert.deepEqual([ended.code, summary.accepted], [1, 1]);
    assert.match(String(summary.ended_early), /stopped before the end/);
  });
});

test('the summary for people has totals, reasons with lines, and links', async () => {
  await withCollector([rejectPlaces([1], 'time_too_old')], async (collector) => {
    const file = ndjson('people.ndjson', 3);
    const ended = await runCommand([
      'send',
      file,
      '--format',
      'ndjson',
      '--collector',
      collector.url,
      '--dashboard',
      'http://scope.example:9000/x',
    ]);
    assert.equal(ended.code, 3);
    assert.match(ended.stdout, /read +3\naccepted +2\nrejected +1\n/);
    assert.match(ended.stdout, /1 {2}time_too_old \(collector\) {2}line 2\n/);
    assert.match(
      ended.stdout,
      /http:\/\/scope\.example:9000\/x\/applications\/1400000001 {2}2 sent of application/,
    );
  });
});

test('a local access log is refused by reason, never with a duration of 0', async () => {
  await withCollector([], async (collector) => {
    const line =
      '192.0.2.1 - - [05/Mar/2024:00:00:01 +0000] "POST /v4/openim/sendmsg?sdkappid=7 HTTP/1.1" 200 5 "-" "-"';
    const file = fileOf('access.log', [line, `${line} 0.010`, `${line} -`]);
    const ended = await runCommand([
      'send',
      file,
      '--format',
      'nginx',
      '--collector',
      collector.url,
      '--json',
    ]);
    const summary = summaryOf(ended);
    assert.deepEqual([ended.code, summary.accepted, summary.rejected], [3, 1, 2]);
    assert.deepEqual(
      summary.rejected_by_reason.map(({ reason, lines }) => [reason, lines]),
      [['missing_duration', [1, 3]]],
    );
    assert.deepEqual(
      collector.accepted.map((one) => one['latency_ms']),
      [10],
    );
  });
});
