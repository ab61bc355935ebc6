import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'imscope-collector-check-'));
after(() => rmSync(directory, { recursive: true }));

function check(lines: readonly string[], ...args: string[]): { code: number | null; stdout: string } {
  const file = join(directory, 'collector.env');
  writeFileSync(file, lines.join('\n'));
  const node = [
    '--conditions=imscope-source',
    '--import',
    'tsx',
    MAIN,
    'check',
    `--env-file=${file}`,
    ...args,
  ];
  const { status, stdout } = spawnSync(process.execPath, node, {
    env: { PATH: process.env['PATH'] },
    encoding: 'utf8',
  });
  return { code: status, stdout };
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' });
}

/** A certificate of its own authority, and its key. @param days from now; less than 0 for one that has expired */
function makePair(name: string, days: number): { cert: string; key: string } {
  const [cert, key, request] = ['crt', 'key', 'csr'].map((kind) => join(directory, `${name}.${kind}`));
  assert(cert !== undefined && key !== undefined && request !== undefined);
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-new', ...curve, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
  openssl('x509', '-req', '-in', request, '-signkey', key, '-days', String(days), '-out', cert);
  return { cert, key };
}

const registry = join(directory, 'registry.json');
writeFileSync(registry, '{"tokens":[]}');
const good = [`REGISTRY_FILE=${registry}`, `SPOOL_DIR=${join(directory, 'spool')}`];

test('correct settings end with code 0, and the JSON report says the same', () => {
  assert.equal(check(good).code, 0);
  const { code, stdout } = check(good, '--json');
  assert.equal(code, 0);
  const report = JSON.parse(stdout) as { service: string; settings: { name: string; from: string }[] };
  assert.equal(report.service, 'collector');
  assert.equal(report.settings.find(({ name }) => name === 'REGISTRY_FILE')?.from, 'file');
});

function using(cert: string, key: string): string[] {
  return [...good, `TLS_CERT_FILE=${cert}`, `TLS_KEY_FILE=${key}`];
}

test('a certificate must match its key and be valid today', () => {
  const [valid, expired] = [makePair('valid', 2), makePair('expired', -1)];
  assert.equal(check(using(valid.cert, valid.key)).code, 0);
  const mixed = check(using(valid.cert, expired.key));
  assert.equal(mixed.code, 2);
  assert.match(mixed.stdout, /the key is not that of the certificate/);
  const late = check(using(expired.cert, expired.key));
  assert.equal(late.code, 2);
  assert.match(late.stdout, /TLS_CERT_FILE .* expired at \d{4}-\d\d-\d\dT.*: get a new one/);
});

test('misspelt and wrong settings end with code 2, and all are named', () => {
  const { code, stdout } = check([...good, 'COLECTOR_PORT=1', 'LINGER_MS_MAX=1h', 'KAFKA_BROKERS=here']);
  assert.equal(code, 2);
  assert.match(stdout, /^collector: 3 faults in \d+ settings of /);
  assert.match(stdout, /COLECTOR_PORT is no setting: did you mean COLLECTOR_PORT\?/);
  assert.match(stdout, /LINGER_MS_MAX is "1h": give a whole number/);
  assert.match(stdout, /KAFKA_BROKERS names "here": give host:port/);
});

test('a history span has both ends, the earlier one first', () => {
  const [early, late] = ['2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z'];
  assert.equal(check([...good, `HISTORY_FROM=${early}`, `HISTORY_TO=${late}`]).code, 0);
  for (const [ends, message] of [
    [[`HISTORY_FROM=${early}`], /give both, or none of them/],
    [[`HISTORY_FROM=${late}`, `HISTORY_TO=${early}`], /give an earlier and a later time/],
    [[`HISTORY_FROM=${late}`, `HISTORY_TO=${late}`], /give an earlier and a later time/],
  ] as const) {
    const { code, stdout } = check([...good, ...ends]);
    assert.equal(code, 2);
    assert.match(stdout, message);
  }
});
