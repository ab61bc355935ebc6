import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeContainer } from '@imscope/schemas/container-decoder.js';
import { decodeBatch } from '../../src/spool/batch-entry.js';
import { decodeSegment } from '../../src/spool/entry.js';
import { createTestTopic, readMessages } from '../running-collector.js';
import { logLine, until } from './tail-lines.js';
import { startTailProcess } from './tail-process.js';

/** In every secret, wherever it stands. */
const MARK = 'S3CRETMARK';
const secret = (place: string): string => `${MARK}${place}`;
const FORMAT = `$remote_addr "$http_x_forwarded_for" $remote_user [$msec] "$request" $status $request_time "$http_referer" "$http_user_agent" "$http_cookie" "$http_authorization" $request_id`;

function line(
  id: string,
  more: { readonly path?: string; readonly query?: string; readonly address?: string } = {},
): string {
  const { path = '/v4/openim/sendmsg', query = 'sdkappid=1400000001', address = '203.0.113.7' } = more;
  const credentials = `identifier=${secret('identifier')}&usersig=${secret('usersig')}&random=${secret('random')}&${secret('name')}=1#${secret('fragment')}`;
  const time = (Date.now() / 1000).toFixed(3);
  return `${address} "${secret('forwarded')}, 192.0.2.1" ${secret('user')} [${time}] "POST ${path}?${query}&${credentials} HTTP/1.1" 200 0.041 "https://x.example/?${secret('referer')}" "${secret('agent')}" "session=${secret('cookie')}" "Bearer ${secret('bearer')}" ${id}\n`;
}

/** Lines that are records, and lines that are refused for each their reason, with secrets in what is refused. */
const LINES = [
  line('one'),
  line('two', { path: `/v4/openim/${secret('0123456789abcdefABCDEF')}` }),
  line('three', { path: `/v4/openim/sendmsg/${secret('path')}` }),
  line('four', { path: `/${secret('outside')}` }),
  line('five', { query: `sdkappid=${secret('application')}` }),
  line('six', { address: secret('address') }),
  line('seven').replace(' HTTP/1.1"', `" "${secret('quoted')}"`),
  `${secret('nothing of a line')}\n`,
  `${secret('x'.repeat(70_000))}\n`,
  `{"usersig":"${secret('json')}"\n`,
  `${logLine({ id: 'other format', agent: secret('other') })}\n`,
  // Half a line stays in the file.
  secret('half'),
];

/** Everything in a directory: bytes as they are, and what is packed in entries of the spool. */
function everythingIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => {
      const bytes = readFileSync(join(entry.parentPath, entry.name));
      const unpacked = entry.name.endsWith('.wal') ? unpackedEntries(bytes) : [];
      return [bytes.toString('latin1'), ...unpacked];
    });
}

function unpackedEntries(segment: Buffer): string[] {
  return Array.from(decodeSegment(segment), (entry) => {
    if (!('kind' in entry) || entry.kind !== 'batch') return '';
    const { head, body } = decodeBatch(entry.payload);
    const decoded = decodeContainer(body.container);
    return JSON.stringify([head, decoded.ok ? decoded.records.map((record) => ({ ...Object(record) })) : []]);
  });
}

test('nothing secret of a line leaves the file: not to Kafka, the disk, logs or metrics', async (t) => {
  const topic = await createTestTopic(1);
  const directory = mkdtempSync(join(tmpdir(), 'imscope-secrets-'));
  const spool = join(directory, 'spool');
  const path = join(directory, 'access.log');
  writeFileSync(path, LINES.join(''));
  const tail = await startTailProcess({
    KAFKA_TOPIC_PREFIX: topic.prefix,
    SPOOL_DIR: spool,
    TAIL_FILES: path,
    TAIL_LOG_FORMAT: FORMAT,
    TAIL_CODE_VARIABLE: '',
    LOG_LEVEL: 'debug',
  });
  t.after(async () => {
    await tail.kill();
    await topic.remove();
    rmSync(directory, { recursive: true });
  });
  await until('all lines are taken', async () => (await tail.metric('tail_lines_total')) >= LINES.length - 1);
  await until('what was taken is durable', async () => (await tail.metric('records_accepted_total')) >= 2);
  await until('the checkpoint is written', () => readdirSync(spool).includes('tail.json'));
  await until('refusals are told', () => tail.said().includes('lines of tailed files are refused'));
  const page = await tail.metricsPage();
  // While it runs, and after it was killed: what a clean stop deletes is still there.
  await tail.kill();
  const onDisk = everythingIn(spool);
  assert.ok(
    onDisk.some((text) => text.includes('"openim/sendmsg"')),
    'the spool was unpacked',
  );
  const messages = await readMessages(topic.kafka, topic.topic);
  const inKafka = JSON.stringify(messages);
  assert.ok(inKafka.includes('openim/sendmsg'));
  for (const [where, text] of Object.entries({ page, inKafka, said: tail.said(), disk: onDisk.join('\n') })) {
    const at = text.toLowerCase().indexOf(MARK.toLowerCase());
    assert.equal(at === -1 ? '' : text.slice(Math.max(0, at - 80), at + 60), '', where);
  }
});
