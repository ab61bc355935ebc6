import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { openCredentials } from '../../../../scripts/stack/credentials.js';
import { freePort } from '../../../../scripts/stack/ports.js';
import { type RunningService, runServiceCommand, startService } from '../../../../scripts/stack/services.js';
import { startCommand } from '../run-command.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-app-command-'));
const { adminToken, readToken, registryFile, masterKeyFile } = openCredentials(
  join(directory, 'credentials'),
);
let url = '';
let registry: RunningService;

before(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const env = {
    REGISTRY_PORT: String(port),
    DATABASE_URL: `sqlite:${join(directory, 'registry.db')}`,
    OBJECTS_DIR: join(directory, 'objects'),
    REGISTRY_MASTER_KEY_FILE: masterKeyFile,
    REGISTRY_FILE: registryFile,
  };
  const service = {
    name: 'registry',
    mode: 'source',
    env,
    logFile: join(directory, 'registry.log'),
  } as const;
  await runServiceCommand(service, ['migrate']);
  registry = await startService(service);
});

after(async () => {
  await registry.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** `imscope app …` with the administrator's token. */
async function app(args: readonly string[], options: { stdin?: Readable; token?: string } = {}) {
  const { stdin = Readable.from([]), token = adminToken } = options;
  const environment = { IMSCOPE_ADMIN_TOKEN: token };
  return startCommand(['app', ...args, '--registry', url], stdin, environment).ended;
}

/** A person who types this. */
function typed(text: string): Readable {
  return Object.assign(Readable.from([`${text}\n`]), { isTTY: true });
}

async function created(id: number): Promise<string> {
  const identity = ['--app-id', '1250000001', '--uin', '100000000001'];
  const names = ['--name', 'Chat', '--data-centre', 'singapore', '--reason', 'it begins'];
  const { code, stdout, stderr } = await app(['create', String(id), ...identity, ...names]);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

type Shown = {
  details: Record<string, unknown>;
  configuration: Record<string, unknown>;
  status: string;
};

async function shown(id: number): Promise<Shown> {
  const { stdout } = await app(['show', String(id), '--json']);
  return JSON.parse(stdout) as Shown;
}

function linksPair(url: string): string {
  return `details.links=${JSON.stringify([{ title: 'Logs', url }])}`;
}

test('a new application’s key is alone on stdout, and the warning on stderr', async () => {
  const identity = ['--app-id', '1', '--uin', '1', '--name', '42', '--data-centre', 'singapore'];
  const { code, stdout, stderr } = await app([
    'create',
    '101',
    'details.owner=7',
    ...identity,
    '--reason',
    'a test',
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^\S{16,}\n$/);
  assert.match(stderr, /printed this once/);
  const { stdout: text } = await app(['show', '101']);
  assert.match(text, /details\.name +42/);
  assert.match(text, /details\.owner +7/);
  assert.ok(!text.includes(stdout.trim()), 'the key is not shown again');
});

test('a change shows what differs before it is made, and makes a version', async () => {
  await created(102);
  const change = [
    'set',
    '102',
    'configuration.recent_contacts_max=200',
    '--reason',
    'more contacts',
    '--yes',
  ];
  const { code, stdout } = await app(change);
  assert.equal(code, 0);
  assert.match(stdout, /configuration\.recent_contacts_max\n {2}- 100\n {2}\+ 200\nversion 2 is in force/);
  const { stdout: history } = await app(['history', '102']);
  assert.match(history, /2 .*local operator +more contacts/);
  const { stdout: difference } = await app(['diff', '102', '1', '2', '--json']);
  assert.match(difference, /"path":"\/configuration\/recent_contacts_max"/);
});

test('a change that changes nothing makes no version', async () => {
  await created(103);
  const { code, stderr } = await app([
    'set',
    '103',
    'configuration.recent_contacts_max=100',
    '--reason',
    'x',
    '--yes',
  ]);
  assert.equal(code, 0);
  assert.match(stderr, /nothing differs/);
});

test('a runbook and links are set, and a placeholder that is unknown is refused', async () => {
  await created(120);
  const runbook = 'details.runbook_url=https://runbooks.example/chat';
  const url = 'https://logs.example/{request_id}';
  const { code } = await app(['set', '120', runbook, linksPair(url), '--reason', 'x', '--yes']);
  assert.equal(code, 0);
  const { details } = await shown(120);
  assert.equal(details['runbook_url'], 'https://runbooks.example/chat');
  assert.deepEqual(details['links'], [{ title: 'Logs', url }]);
  const wrong = await app(['set', '120', linksPair('https://logs.example/{user}'), '--reason', 'x', '--yes']);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /details\/links\/0\/url .*\{user\} is unknown/);
});

test('a file and pairs are put together, pairs last', async () => {
  await created(104);
  const file = join(directory, 'change.json');
  writeFileSync(file, '{"configuration":{"history_days":30,"friend_check":true},"details":{"owner":"Team"}}');
  const pairs = ['configuration.history_days=31'];
  const { code, stderr } = await app([
    'set',
    '104',
    ...pairs,
    '--file',
    file,
    '--reason',
    'x',
    '--yes',
    '--json',
  ]);
  assert.equal(code, 0, stderr);
  const { configuration } = await shown(104);
  assert.deepEqual([configuration['history_days'], configuration['friend_check']], [31, true]);
});

test('a value out of bounds is refused with what is allowed, and exit code 1', async () => {
  await created(105);
  const { code, stderr } = await app([
    'set',
    '105',
    'configuration.recent_contacts_max=99',
    '--reason',
    'x',
    '--yes',
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /recent_contacts_max is 99: give a whole number from 100 to 500/);
});

test('without a terminal nothing is changed unless --yes says so', async () => {
  await created(106);
  for (const args of [
    ['set', '106', 'configuration.friend_check=true'],
    ['terminate', '106'],
  ]) {
    const { code, stderr } = await app([...args, '--reason', 'x']);
    assert.equal(code, 2);
    assert.match(stderr, /give --yes/);
  }
  assert.equal((await shown(106)).status, 'active');
});

test('in a terminal a termination wants the SDKAppID typed', async () => {
  await created(107);
  const wrong = await app(['terminate', '107', '--reason', 'x'], { stdin: typed('yes') });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /to terminate 107 Chat, type its SDKAppID: .*nothing was changed/s);
  assert.equal((await shown(107)).status, 'active');
  const right = await app(['terminate', '107', '--reason', 'x'], { stdin: typed('107') });
  assert.equal(right.code, 0, right.stderr);
  assert.match(right.stdout, /107 is terminated; it is purged from /);
  const restored = await app(['restore', '107', '--reason', 'it goes on', '--yes']);
  assert.match(restored.stdout, /107 is active/);
});

test('a rollback brings the earlier values back as a new version', async () => {
  await created(108);
  await app(['set', '108', 'configuration.friend_check=true', '--reason', 'x', '--yes']);
  const { code, stdout } = await app(['rollback', '108', '1', '--reason', 'x', '--yes']);
  assert.equal(code, 0);
  assert.match(stdout, /version 3 is in force, as version 1 was/);
  assert.equal((await shown(108)).configuration['friend_check'], false);
});

test('an import names bad rows by their lines, and creates the others', async () => {
  const file = join(directory, 'applications.csv');
  const rows = ['201,1,1,Good,singapore', '202,1,1,,singapore', '203,1,1,Also good,singapore'];
  writeFileSync(file, `sdk_app_id,app_id,uin,name,data_centre\n${rows.join('\n')}\n`);
  const dry = await app(['import', file, '--dry-run']);
  assert.match(dry.stdout, /2 would be created, 1 refused/);
  const { code, stdout } = await app(['import', file]);
  assert.equal(code, 3);
  assert.match(stdout, /^2 created, 1 refused\nline 3: invalid_parameter: /);
  const { stdout: list } = await app(['list', '--search', 'good', '--json']);
  assert.equal((JSON.parse(list) as { total: number }).total, 2);
});

test('an import from stdin needs its format named', async () => {
  const row = '{"sdk_app_id":204,"app_id":1,"uin":1,"details":{"name":"Piped","data_centre":"singapore"}}\n';
  const unnamed = await app(['import', '-'], { stdin: Readable.from([row]) });
  assert.equal(unnamed.code, 2);
  assert.match(unnamed.stderr, /give --format csv or --format ndjson/);
  const { code, stdout } = await app(['import', '-', '--format', 'ndjson'], { stdin: Readable.from([row]) });
  assert.equal(code, 0);
  assert.match(stdout, /^1 created, 0 refused/);
});

test('a token is printed once, works, and ends when it is revoked', async () => {
  const made = await app([
    'tokens',
    'create',
    '--name',
    'second operator',
    '--scope',
    'admin',
    '--all',
    '--reason',
    'x',
  ]);
  assert.equal(made.code, 0, made.stderr);
  const token = made.stdout.trim();
  const { stdout } = await app(['tokens', 'list', '--json'], { token });
  const { tokens } = JSON.parse(stdout) as { tokens: { id: number; name: string }[] };
  const id = tokens.find(({ name }) => name === 'second operator')?.id;
  assert.ok(id !== undefined && !stdout.includes(token));
  const revoked = await app(['tokens', 'revoke', String(id), '--yes']);
  assert.equal(revoked.code, 0, revoked.stderr);
  const refused = await app(['list'], { token });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /scope admin in IMSCOPE_ADMIN_TOKEN/);
});

test('a secret is read from stdin and never shown', async () => {
  await created(109);
  const secret = 'the-signing-key-of-a-test';
  const args = ['secret', '109', 'callback/signing_key', '--reason', 'x'];
  const { code, stdout, stderr } = await app(args, { stdin: Readable.from([`${secret}\n`]) });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /callback\/signing_key was set at /);
  const { stdout: text } = await app(['show', '109']);
  assert.match(text, /secret +callback\/signing_key, set /);
  assert.ok(!text.includes(secret) && !stdout.includes(secret));
});

const PASSWORD = 'the-password-of-a-test';
const CERTIFICATES =
  'configuration.push_certificates=[{"id":"ios","channel":"apns","pack_name":"im.chat","app_id":"","sandbox":false}]';

/** A file of this content. */
function file(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

test('a certificate’s bytes are stored with the password of a file, and neither is shown', async () => {
  await created(110);
  await app(['set', '110', CERTIFICATES, '--reason', 'x', '--yes']);
  const largest = file('largest.p12', Buffer.alloc(67_500, 'certificate'));
  const password = file('password', `${PASSWORD}\n`);
  const args = ['certificate', '110', 'ios', largest, '--password-file', password, '--reason', 'renewed'];
  const { code, stdout, stderr } = await app(args);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^push\/ios\/certificate was set at \S+\n$/);
  assert.ok(!`${stdout}${stderr}`.includes(PASSWORD));
  const { stdout: text } = await app(['show', '110', '--json']);
  assert.match(text, /push\/ios\/certificate/);
  assert.ok(!text.includes(PASSWORD));
  const { stdout: audit } = await app(['audit', '--application', '110']);
  assert.match(audit, /certificate\.put +110 +renewed/);
});

test('a certificate out of bounds is refused with the bounds, before anything is sent', async () => {
  const good = file('good.p12', 'certificate');
  for (const [content, message] of [
    [Buffer.alloc(67_501), /has more than 67,500 bytes: .*1 to 67,500 bytes/],
    ['', /is empty: a certificate has 1 to 67,500 bytes/],
  ] as const) {
    const name = file('bad.p12', content);
    const { code, stderr } = await app(['certificate', '110', 'ios', name, '--reason', 'x']);
    assert.equal(code, 2);
    assert.match(stderr, message);
  }
  for (const [content, message] of [
    ['\n', /is empty: give 1 to 256 characters/],
    [`${PASSWORD}${'x'.repeat(256)}`, /holds too much: give 1 to 256 characters/],
    [Buffer.from([0x70, 0xff]), /is not UTF-8/],
  ] as const) {
    const args = ['certificate', '110', 'ios', good, '--password-file', file('password', content)];
    const { code, stderr } = await app([...args, '--reason', 'x']);
    assert.equal(code, 2);
    assert.match(stderr, message);
    assert.ok(!stderr.includes(PASSWORD));
  }
  const missing = await app(['certificate', '110', 'ios', join(directory, 'none.p12'), '--reason', 'x']);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /cannot read .*none\.p12: ENOENT/);
});

test('a certificate that the configuration does not name is refused with what to do', async () => {
  await created(111);
  const { code, stderr } = await app(['certificate', '111', 'ios', file('a.p12', 'a'), '--reason', 'x']);
  assert.equal(code, 1);
  assert.match(stderr, /has no push certificate "ios": add it to \/configuration\/push_certificates first/);
});

test('a callback test without a URL fails and names what to set', async () => {
  await created(112);
  const { code, stdout, stderr } = await app(['callback-test', '112']);
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /application 112 has no callback URL: set \/configuration\/callback\/url first/);
});

test('a token that may only read is refused, and an address without a registry says how to start one', async () => {
  const { code, stderr } = await app(['list'], { token: readToken });
  assert.equal(code, 1);
  assert.match(stderr, /give a token with scope admin/);
  const away = startCommand(['app', 'list', '--registry', 'http://127.0.0.1:9'], Readable.from([]), {
    IMSCOPE_ADMIN_TOKEN: adminToken,
  });
  const ended = await away.ended;
  assert.equal(ended.code, 1);
  assert.match(
    ended.stderr,
    /cannot reach the registry at http:\/\/127\.0\.0\.1:9.*\.\/scripts\/start runs a local one/,
  );
});
