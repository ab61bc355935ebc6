import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openTables } from '../../../../scripts/stack/open-tables.js';
import { startStore } from '../../../../scripts/stack/store.js';
import { type ApplicationDetail, createDetailSink, detailOf } from '../../src/distribution/detail-sink.js';

const dir = mkdtempSync(join(tmpdir(), 'imscope-detail-'));
const store = await startStore({
  dataDir: join(dir, 'store'),
  mode: 'source',
  password: 'a password for this test',
});
const client = await openTables(store, 'imscope-detail-test');
after(async () => {
  await client.close();
  await store.stop();
  rmSync(dir, { recursive: true });
});
const sink = createDetailSink(client);

function detail(sdkAppId: number, revision: number, name: string): ApplicationDetail {
  return detailOf(
    {
      sdk_app_id: sdkAppId,
      name,
      package: 'pro',
      owner: 'Messaging',
      data_centre: 'singapore',
      runbook_url: `https://runbooks.example/${sdkAppId}`,
      links: '[{"title":"Logs","url":"https://logs.example/{node}"}]',
    },
    revision,
  );
}

async function nameOf(sdkAppId: number): Promise<unknown> {
  const result = await client.query({
    query:
      "SELECT dictGetOrDefault('application_name', ('name', 'package', 'owner', 'region', 'runbook_url', 'links'), {id:UInt64}, ('', '', '', '', '', '')) AS names",
    query_params: { id: sdkAppId },
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ names: Record<string, string> }>();
  return row?.names;
}

const NONE = { name: '', package: '', owner: '', region: '', runbook_url: '', links: '' };

test('a change is in the dictionary once it is written, within a second', async () => {
  const startedMs = performance.now();
  await sink.write([detail(1_400_000_001, 1, 'Chat’n’play «聊天»')]);
  assert.deepEqual(await nameOf(1_400_000_001), {
    name: 'Chat’n’play «聊天»',
    package: 'pro',
    owner: 'Messaging',
    region: 'singapore',
    runbook_url: 'https://runbooks.example/1400000001',
    links: '[{"title":"Logs","url":"https://logs.example/{node}"}]',
  });
  assert.ok(performance.now() - startedMs < 1_000);
});

test('an earlier revision that is written late changes nothing', async () => {
  await sink.write([detail(2, 5, 'newer')]);
  await sink.write([detail(2, 4, 'older')]);
  assert.match(JSON.stringify(await nameOf(2)), /newer/);
});

test('an application that is not known has empty texts', async () => {
  assert.deepEqual(await nameOf(404), NONE);
});

test('a deleted application has no name any more', async () => {
  await sink.write([detail(3, 1, 'to go'), detail(4, 1, 'to stay')]);
  await sink.write([{ ...detail(3, 2, ''), deleted: true }]);
  assert.deepEqual(await nameOf(3), NONE);
  assert.match(JSON.stringify(await nameOf(4)), /to stay/);
});

test('where everything is published again, what is not among it has no name, also with a lower revision', async () => {
  await sink.write([detail(5, 90, 'forgotten'), detail(6, 91, 'before')]);
  await sink.replaceAll(pages([detail(6, 2, 'after')], [detail(7, 3, 'more')]));
  assert.deepEqual(await nameOf(5), NONE);
  assert.match(JSON.stringify(await nameOf(6)), /after/);
  assert.equal(await sink.newestRevision(), 3);
  await sink.replaceAll(pages());
  assert.equal(await sink.newestRevision(), 0);
});

test('many applications are written in parts', async () => {
  const many = Array.from({ length: 25_000 }, (_, index) => detail(10_000 + index, 1, `name ${index}`));
  await sink.write(many);
  assert.match(JSON.stringify(await nameOf(34_999)), /name 24999/);
});

async function* pages(...all: ApplicationDetail[][]): AsyncGenerator<readonly ApplicationDetail[]> {
  yield* all;
}
