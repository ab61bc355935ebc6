import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type Pipeline, startPipeline } from '../pipeline/pipeline.js';
import { REPO_ROOT } from '../stack/repo-root.js';

const TITLE = '## Send a record and find it again';
let pipeline: Pipeline;
let folder: string;

before(async () => {
  pipeline = await startPipeline();
  folder = mkdtempSync(join(tmpdir(), 'imscope-readme-'));
  const credentials = join(folder, '.imscope', 'data', 'credentials');
  mkdirSync(credentials, { recursive: true });
  copyFileSync(pipeline.credentials.secretsFile, join(credentials, 'secrets.json'));
});

after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await pipeline.end();
});

/** The section's first shell block, with the addresses of this test's services. */
function pastedBlock(): readonly string[] {
  const readme = readFileSync(join(REPO_ROOT, 'README.md'), 'utf8');
  const [, section = ''] = readme.split(TITLE);
  const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(section) ?? [];
  return block
    .replaceAll('http://127.0.0.1:8088', pipeline.collectorUrl)
    .replaceAll('http://127.0.0.1:8080', pipeline.queryUrl)
    .split('\n\n');
}

async function paste(script: string): Promise<string> {
  return (await promisify(execFile)('bash', ['-euc', script], { cwd: folder })).stdout;
}

test('the block of the README sends a record, and its question finds that record', async () => {
  const [tokens = '', send = '', ask = ''] = pastedBlock();
  assert.match(await paste(`${tokens}\n${send}`), /"accepted": ?1\b/);
  await pipeline.untilStored(1);
  const { data } = JSON.parse(await paste(`${tokens}\n${ask}`)) as {
    data: { requests: { request_id: string; exit_ip: string }[] };
  };
  assert.deepEqual(
    data.requests.map(({ request_id: id, exit_ip: address }) => [id, address]),
    [['my-first-request', '203.0.113.0/24']],
  );
});
