import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findToken } from '../src/command/access-token.js';
import { UsageError } from '../src/command/usage-error.js';
import { runCommand } from './run-command.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-command-'));
after(() => rmSync(directory, { recursive: true }));

test('help ends with code 0; wrong options end with code 2 and say what is allowed', async () => {
  for (const [args, code, said] of [
    [['--help'], 0, /send \[options\] <file>/],
    [['send', '--help'], 0, /Exit codes: 0 every line/],
    [['send', 'x'], 2, /required option '--format/],
    [['send', 'x', '--format', 'csv'], 2, /Allowed choices are ndjson, nginx/],
    [['send', 'x', '--format', 'ndjson', '--batch', '0'], 2, /whole number from 1 to 5000/],
    [['send', 'x', '--format', 'ndjson', '--collector', 'localhost'], 2, /Give a URL/],
    [['send', 'x', '--format', 'ndjson', '--collector', 'http://u:p@h/'], 2, /Leave user and password out/],
    [
      ['send', 'x', '--format', 'ndjson', '--log-format', '$status', '--region', 'eu'],
      2,
      /--log-format, --region describe an access log/,
    ],
    [['send', 'x', '--format', 'nginx', '--log-format', '$status', '--log-format-file', 'f'], 2, /not both/],
    [['send', 'x', '--format', 'nginx', '--log-format-name', 'main'], 2, /needs --log-format-file/],
    [
      ['send', 'x', '--format', 'nginx', '--code-variable', 'upstream_http_x'],
      2,
      /default log format has no \$upstream_http_x/,
    ],
    [['send', join(directory, 'none'), '--format', 'ndjson'], 2, /cannot read .*ENOENT/],
    [['top', '--window', 'long'], 2, /15m, 24h or 7d/],
    [['send', 'x', '--format', 'ndjson', '--batch', '0x10'], 2, /whole number from 1 to 5000/],
    [['tap', '--for', '61m'], 2, /Give a length up to an hour/],
    [['dlq', '--help'], 0, /redrive \[options\] \[places...\]/],
    [['dlq', 'show'], 2, /missing required argument 'place'/],
    [['dlq', 'ls', '0:1'], 2, /too many arguments/],
    [['ledger', 'check', '--help'], 0, /--settled/],
    [['ledger', 'check', '--since', '1h'], 2, /unknown option '--since'/],
    [['app', '--help'], 0, /set \[options\] <SDKAppID> \[pairs\.\.\.\]/],
    [['app', 'set', '7', 'a=1'], 2, /required option '--reason/],
    [['app', 'show', '0'], 2, /whole number from 1/],
    [['unknown'], 2, /unknown command 'unknown'\n\(commands: send, top, tap, query, app, .*ledger; --help/],
    [['dlq', 'unknown'], 2, /\(commands: ls, show, redrive; --help/],
  ] as const) {
    const ended = await runCommand(args);
    assert.equal(ended.code, code, args.join(' '));
    assert.match(`${ended.stdout}${ended.stderr}`, said);
    assert.doesNotMatch(ended.stderr, /\n {4}at /);
  }
});

test('a log_format may be given as a complete directive', async () => {
  const file = join(directory, 'empty.log');
  writeFileSync(file, '');
  const ended = await runCommand([
    'send',
    file,
    '--format',
    'nginx',
    '--json',
    '--log-format',
    `log_format im escape=json '$remote_addr $msec '\n '"$request" $request_time';`,
  ]);
  assert.equal(ended.code, 0, ended.stderr);
});

test('without a build the command says to build', () => {
  const bin = join(directory, 'services', 'cli', 'bin', 'imscope.js');
  cpSync(fileURLToPath(new URL('../bin/imscope.js', import.meta.url)), bin);
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  const ended = spawnSync(process.execPath, [bin, 'top'], { encoding: 'utf8' });
  assert.equal(ended.status, 2);
  assert.match(ended.stderr, /run "npm run build" in the repository first/);
});

test('the process ends with the command’s exit code', () => {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const ended = spawnSync(
    process.execPath,
    [
      '--conditions=imscope-source',
      '--import',
      'tsx',
      main,
      'send',
      join(directory, 'none'),
      '--format',
      'ndjson',
    ],
    { encoding: 'utf8', env: { ...process.env, IMSCOPE_WRITE_TOKEN: 'token-of-a-test-0001' } },
  );
  assert.equal(ended.status, 2);
  assert.match(ended.stderr, /^imscope: cannot read .*ENOENT/m);
});

test('tokens come from the named file, then the environment, then the local stack, the last for this machine only', () => {
  const plain = join(directory, 'token');
  writeFileSync(plain, 'plain-token-00000001\n');
  const secrets = join(directory, 'secrets.json');
  writeFileSync(
    secrets,
    JSON.stringify({ writeToken: 'local-write-token-001', readToken: 'local-read-token-0001' }),
  );
  const find = (options: Partial<Parameters<typeof findToken>[0]>): string =>
    findToken({
      scope: 'write',
      url: new URL('http://127.0.0.1:8088/'),
      tokenFile: undefined,
      environment: {},
      localSecretsFile: secrets,
      ...options,
    });
  const environment = {
    IMSCOPE_WRITE_TOKEN: 'environment-token-01',
    IMSCOPE_READ_TOKEN: 'environment-token-02',
  };
  assert.equal(find({ tokenFile: plain, environment }), 'plain-token-00000001');
  assert.equal(find({ tokenFile: secrets, scope: 'read', environment }), 'local-read-token-0001');
  assert.equal(find({ environment }), 'environment-token-01');
  assert.equal(find({ environment, scope: 'read' }), 'environment-token-02');
  for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
    assert.equal(find({ url: new URL(`http://${host}:1/`) }), 'local-write-token-001');
  }
  assert.throws(
    () => find({ url: new URL('https://collector.example/') }),
    /no token: set IMSCOPE_WRITE_TOKEN/,
  );
  assert.throws(() => find({ url: new URL('http://127.0.0.1.example/') }), UsageError);
  assert.throws(() => find({ localSecretsFile: join(directory, 'none') }), /scripts\/start makes one/);
  assert.throws(() => find({ tokenFile: join(directory, 'none') }), /cannot read the token file/);
  assert.throws(
    () => find({ environment: { IMSCOPE_WRITE_TOKEN: 'two words of text here' } }),
    (error) => {
      assert.ok(error instanceof UsageError);
      assert.ok(!error.message.includes('two words'), 'a token is never shown');
      return true;
    },
  );
});
