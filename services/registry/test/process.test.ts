import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { hashToken } from '@imscope/access/tokens.js';
import { freePort } from '@imscope/scripts/stack/ports.js';
import { REPO_ROOT } from '@imscope/scripts/stack/repo-root.js';
import { startService } from '@imscope/scripts/stack/services.js';
import { testMysql, type TestMysql } from '@imscope/scripts/stack/test-databases.js';
import { createCall } from '@imscope/schemas/registry-api/call.js';
import { newMasterKeyLine } from '../src/secrets/master-keys.js';
import { newApplication } from './new-application.js';

const TOKEN = 'test-token-of-the-process';
const MAIN = join(REPO_ROOT, 'services', 'registry', 'src', 'main.ts');

let dir: string;
let mysql: TestMysql;
let common: Readonly<Record<string, string>>;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'imscope-registry-process-'));
  mysql = await testMysql('process');
  const registryFile = join(dir, 'tokens.json');
  const administrator = { name: 'a', sha256: hashToken(TOKEN), scope: 'admin', applications: 'all' };
  await writeFile(registryFile, JSON.stringify({ tokens: [administrator] }));
  common = {
    REGISTRY_FILE: registryFile,
    REGISTRY_MASTER_KEY: newMasterKeyLine(Date.now()).trim(),
    OBJECTS_DIR: join(dir, 'objects'),
  };
});
after(async () => {
  await mysql.drop();
  await rm(dir, { recursive: true, force: true });
});

async function run(args: readonly string[], env: Readonly<Record<string, string>>) {
  const loader = ['--conditions=imscope-source', '--import', 'tsx'];
  const child = spawn(process.execPath, [...loader, MAIN, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    cwd: REPO_ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { output, errors, code };
}

test('on one machine the process makes its file, becomes ready, and keeps what it was told', async () => {
  const port = await freePort();
  const env = { ...common, DATABASE_URL: `sqlite:${join(dir, 'one.db')}`, REGISTRY_PORT: String(port) };
  const start = () => startService({ name: 'registry', mode: 'source', env, logFile: join(dir, 'log') });
  const call = createCall((path, init) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${TOKEN}` },
    }),
  );
  const first = await start();
  const { application } = await call('createApplication', { body: newApplication(1) });
  await first.kill();
  const second = await start();
  assert.deepEqual(await call('getApplication', { params: { sdk_app_id: 1 } }), application);
  assert.deepEqual(await second.stop(), { code: 0, signal: null });
});

test('a server’s tables are made by the command migrate, which shows them before', async () => {
  const env = { ...common, DATABASE_URL: mysql.url, DATABASE_PASSWORD: mysql.password };
  const early = await run([], env);
  assert.equal(early.code, 2);
  assert.match(early.errors, /run the command migrate first/);
  const dry = await run(['migrate', '--dry-run'], env);
  assert.equal(dry.code, 0, dry.errors);
  assert.match(dry.output, /create table `application`[\s\S]* would be done/);
  const done = await run(['migrate'], env);
  assert.equal(done.code, 0, done.errors);
  assert.match(done.output, /statements done/);
  assert.match((await run(['migrate'], env)).output, /^nothing to do/);
  const service = await startService({
    name: 'registry',
    mode: 'source',
    env: { ...env, REGISTRY_PORT: '0' },
    logFile: join(dir, 'log'),
  });
  assert.deepEqual(await service.stop(), { code: 0, signal: null });
});

test('a password in an address, and an option that is none, are refused', async () => {
  const url = 'mysql://user:hidden@127.0.0.1:3306/imscope';
  const wrong = await run(['migrate'], { ...common, DATABASE_URL: url });
  assert.equal(wrong.code, 2);
  const option = await run(['migrate', '--now'], { ...common, DATABASE_URL: mysql.url });
  assert.equal(option.code, 2);
  assert.match(option.errors, /give --dry-run, or nothing/);
});
