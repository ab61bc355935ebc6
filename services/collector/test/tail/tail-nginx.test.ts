import assert from 'node:assert/strict';
import { existsSync, renameSync } from 'node:fs';
import { test } from 'node:test';
import { driveLoad } from '../../../access-log/test/drive-load.js';
import { startImUpstream } from '../../../access-log/test/im-upstream.js';
import { startNginx } from '../../../access-log/test/real-nginx.js';
import { runCollector } from '../running-collector.js';
import { LOG_FORMAT, recordsOf, TAIL_ENVIRONMENT, until } from './tail-lines.js';

const ROUNDS = 4;
const REQUESTS = 500;

function tell(id: number, name: string, status: number, code: number | null): string {
  return `${id} ${name} ${status} ${code}`;
}

test('the rotated log of a real nginx gives the records its clients saw', async (t) => {
  const upstream = await startImUpstream({ isLast: true, delayMs: 5 });
  const nginx = await startNginx({ logFormat: LOG_FORMAT, upstreams: [upstream.address] });
  t.after(async () => {
    await nginx.stop();
    nginx.remove();
    await upstream.stop();
  });
  const collector = await runCollector({ environment: { ...TAIL_ENVIRONMENT, TAIL_FILES: nginx.accessLog } });
  t.after(() => collector.remove());
  const seen = [];
  for (let round = 0; round < ROUNDS; round++) {
    const load = driveLoad({ url: nginx.url, requests: REQUESTS, connections: 8, seed: round });
    // As logrotate does; nginx writes on to the renamed file until it opens another.
    const rotated = `${nginx.accessLog}.${round}`;
    await until('requests are logged', () => existsSync(nginx.accessLog));
    renameSync(nginx.accessLog, rotated);
    nginx.reopen();
    seen.push(...(await load));
    // A log is not rotated again within the second in which the tailer looks for files.
    const lines = seen.length;
    await until('its lines are taken', async () => (await collector.metric('tail_lines_total')) >= lines);
  }
  await collector.stop();
  const records = recordsOf(await collector.messages());
  assert.deepEqual(
    records.map((one) => tell(one.sdk_app_id, one.interface, one.http_status, one.code)).toSorted(),
    seen.map((one) => tell(one.sdkAppId, one.interface, one.status, one.code)).toSorted(),
  );
  assert.equal(new Set(records.map(({ request_id: id }) => id)).size, seen.length);
});
