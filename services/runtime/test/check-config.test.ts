import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkSettings } from '../src/check-config.js';
import { type CheckReport, countFaults, describeCheck } from '../src/check-report.js';
import { type Config, integer, list, secret, text } from '../src/config.js';
import { parseEnvFile } from '../src/env-file.js';
import {
  differentPorts,
  directoryWith,
  hostAddress,
  hostPorts,
  httpUrl,
  type Probe,
  writableDirectory,
} from '../src/setting-probes.js';

const SETTINGS = {
  listenHost: text({ default: '127.0.0.1', purpose: 'where it listens' }),
  listenPort: integer({ default: 80, min: 0, max: 65_535, purpose: 'its port' }),
  adminPort: integer({ default: 0, min: 0, max: 65_535, purpose: 'port of the admin server' }),
  registryFile: text({ default: '', purpose: 'who may' }),
  dataDir: text({ default: '', purpose: 'where data is' }),
  pagesDir: text({ default: '', purpose: 'where pages are' }),
  brokers: list({ default: ['a:1'], purpose: 'brokers' }),
  storeUrl: text({ default: 'http://a', purpose: 'the store' }),
  password: secret({ default: '', purpose: 'a password' }),
};
type Checked = Config<typeof SETTINGS>;
const PROBES: readonly Probe<Checked>[] = [
  hostAddress('listenHost'),
  differentPorts('listenPort', 'adminPort'),
  writableDirectory('dataDir'),
  directoryWith('pagesDir', 'index.html', 'build them first'),
  hostPorts('brokers'),
  httpUrl('storeUrl'),
];
const directory = mkdtempSync(join(tmpdir(), 'imscope-check-'));
after(() => rmSync(directory, { recursive: true }));

function check(
  environment: Record<string, string>,
  probes = PROBES,
  read: Parameters<typeof checkSettings>[2] = { file: undefined, faults: [] },
): CheckReport {
  return checkSettings({ service: 'sample', settings: SETTINGS, probes }, environment, read);
}

function faultsOf({ settings, faults }: CheckReport): readonly string[] {
  return [...settings.flatMap((setting) => setting.faults), ...faults];
}

test('the report has each setting with its value and source, secrets without their value', () => {
  const report = check({ LISTEN_PORT: '8080', PASSWORD: 'hunter2hunter2' });
  const told = new Map(report.settings.map(({ name, value, from }) => [name, `${value} ${from}`]));
  assert.equal(told.get('LISTEN_PORT'), '8080 environment');
  assert.equal(told.get('LISTEN_HOST'), '127.0.0.1 default');
  assert.equal(told.get('PASSWORD'), 'set, hidden environment');
  assert.equal(told.get('DATA_DIR'), 'not set default');
  assert.equal(countFaults(report), 0);
  const text = describeCheck(report, { colours: false, columns: 80 });
  assert.match(text, /^sample: 9 settings, nothing wrong\n/);
  for (const line of text.split('\n')) assert(line.length <= 80, line);
  assert.doesNotMatch(text + JSON.stringify(report), /hunter2/);
});

test('all faults are reported at once; one wrong value does not prevent other checks', () => {
  const report = check({
    LISTEN_PORT: '99999',
    LISTEN_HOST: '1.2.3',
    BROKERS: 'good:9092,bad:port,[::1]:9092,[::g]:1,only-host',
    STORE_URL: 'http://:80',
    PAGES_DIR: directory,
    DATA_DIR: join(directory, 'not', 'made', 'yet'),
  });
  const faults = faultsOf(report);
  assert.equal(faults.length, 7, faults.join('\n'));
  for (const wanted of [
    /^LISTEN_PORT is "99999": give a whole number/,
    /^LISTEN_HOST is "1\.2\.3": give an IPv4/,
    /"bad:port"/,
    /"\[::g\]:1"/,
    /"only-host"/,
    /^STORE_URL is "http:\/\/:80", which is no URL/,
    /holds no index\.html: build them first/,
  ]) {
    assert(
      faults.some((fault) => wanted.test(fault)),
      String(wanted),
    );
  }
});

test('misspelt names are reported with the nearest name, other unknown variables only in a file', () => {
  const environment = {
    LISTEN_PROT: '1',
    Listen_Host: 'a',
    'DATA-DIR': 'x',
    PATH: '/bin',
    HOME: '/',
    OTHER_THING: '1',
  };
  assert.deepEqual(faultsOf(check(environment)), [
    'LISTEN_PROT is no setting: did you mean LISTEN_PORT?',
    'Listen_Host is no setting: did you mean LISTEN_HOST?',
    'DATA-DIR is no setting: did you mean DATA_DIR?',
  ]);
  assert.deepEqual(check(environment).notices, []);
  const read = check(environment, PROBES, { file: 'x.env', faults: ['line 3 is no NAME=value'] });
  assert.equal(read.notices.length, 3);
  assert.match(faultsOf(read).join('\n'), /x\.env: line 3 is no NAME=value/);
});

test('ports of one process have to differ', () => {
  assert.match(faultsOf(check({ ADMIN_PORT: '80' })).join(), /ADMIN_PORT is 80, and so is LISTEN_PORT/);
  assert.deepEqual(faultsOf(check({ LISTEN_PORT: '0', ADMIN_PORT: '0' })), []);
});

test('a file in the place of a directory is a fault', () => {
  const path = join(directory, 'file');
  writeFileSync(path, '');
  chmodSync(path, 0o600);
  assert.match(faultsOf(check({ DATA_DIR: path })).join(), /DATA_DIR .* cannot be written .*is no directory/);
  assert.match(faultsOf(check({ DATA_DIR: join(path, 'below') })).join(), /cannot be written/);
});

test('a file of settings is read as systemd and dotenv read it, and other lines are faults', () => {
  const text = [
    '# a comment',
    '; another',
    'A=1',
    'export B="two words" # why',
    "C='# not a comment'",
    'D="first',
    'second"',
    '  E = spaced  ',
    'what is this',
    'F=',
    '=G',
  ].join('\r\n');
  const { environment, faults } = parseEnvFile(`\uFEFF${text}`);
  assert.deepEqual(
    { ...environment },
    { A: '1', B: 'two words', C: '# not a comment', D: 'first\nsecond', E: 'spaced', F: '' },
  );
  assert.deepEqual(faults, [
    'line 9 is no NAME=value: mend it, or begin it with #',
    'line 11 is no NAME=value: mend it, or begin it with #',
  ]);
  assert.deepEqual(parseEnvFile('A="open').faults, ['a value begins with " and never ends: close it']);
});
