import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { peakResidentBytes, processorSeconds } from '../../bench/process-usage.js';
import { createTestTopic, testBroker } from '../../../services/collector/test/running-collector.js';
import { logLine, TAIL_ENVIRONMENT, until } from '../../../services/collector/test/tail/tail-lines.js';
import { readMetric } from '../../stack/read-metric.js';
import { freePort } from '../../stack/ports.js';
import { REPO_ROOT } from '../../stack/repo-root.js';
import { bundleAgent } from '../agent.js';

const MEMORY_BYTES_MAX = 128 << 20;
const LINES = 150_000;
const IDLE_SHARE_MAX = 0.02;
/** Beside the lines, which wait for their share, it compiles its code meanwhile and answers this test. */
const OVER_SHARE_MAX = 0.05;

const directory = mkdtempSync(join(tmpdir(), 'imscope-agent-'));
after(() => rmSync(directory, { recursive: true }));
const { archive, checksum, packages } = bundleAgent(join(directory, 'made'));
const unpacked = join(directory, 'unpacked');
mkdirSync(unpacked);
execFileSync('tar', ['-xzf', archive, '-C', unpacked]);
const home = join(unpacked, basename(archive).replace('.tar.gz', ''));

/** The settings file as the unit reads it. */
function exampleSettings(): Record<string, string> {
  const lines = readFileSync(join(home, 'imscope-agent.env.example'), 'utf8').split('\n');
  return Object.fromEntries(
    lines.filter((line) => /^[A-Z]/.test(line)).map((line) => line.split(/=(.*)/s, 2) as [string, string]),
  );
}

test('the archive holds node, the collector and its packages, and neither store nor tests', () => {
  execFileSync('sha256sum', ['-c', basename(checksum)], { cwd: dirname(checksum) });
  for (const file of [
    'node',
    'imscope-agent',
    'imscope-agent.service',
    'imscope-agent.env.example',
    'README.md',
  ])
    assert.ok(existsSync(join(home, file)), file);
  assert.ok(packages.includes('node_modules/kafkajs') && packages.includes('node_modules/prom-client'));
  assert.deepEqual(
    packages.filter((name) => /chdb|tsx|typescript|turbo|playwright/.test(name)),
    [],
  );
  assert.deepEqual(readdirSync(join(home, 'app', 'services', 'collector')).toSorted(), [
    'dist',
    'package.json',
  ]);
});

test('the unit is one systemd takes, and keeps the agent within its bounds', () => {
  const unit = readFileSync(join(home, 'imscope-agent.service'), 'utf8');
  for (const line of [
    'MemoryMax=128M',
    'CPUQuota=50%',
    'Restart=always',
    'DynamicUser=yes',
    'StateDirectory=imscope-agent',
    'EnvironmentFile=/etc/imscope-agent.env',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
  ])
    assert.ok(unit.includes(`\n${line}\n`), line);
  // As it will be once it is installed.
  const local = join(directory, 'imscope-agent.service');
  writeFileSync(local, unit.replace('/opt/imscope-agent/imscope-agent', join(home, 'imscope-agent')));
  const verified = spawnSync('systemd-analyze', ['verify', local], { encoding: 'utf8' });
  assert.equal(verified.error, undefined, 'systemd-analyze is not installed: apt-get install systemd');
  assert.deepEqual(
    verified.stderr.split('\n').filter((line) => line.includes('imscope-agent.service')),
    [],
  );
});

test('the settings file names settings the agent takes', () => {
  const nginx = join(directory, 'nginx.conf');
  writeFileSync(nginx, `log_format im '${TAIL_ENVIRONMENT.TAIL_LOG_FORMAT}';`);
  const env = {
    COLLECTOR_LISTEN: 'false',
    SPOOL_DIR: '/nowhere',
    ...exampleSettings(),
    TAIL_LOG_FORMAT_FILE: nginx,
  };
  const checked = spawnSync(join(home, 'imscope-agent'), ['--check-config'], { env, encoding: 'utf8' });
  assert.equal(checked.stderr, '');
  assert.equal(checked.status, 0);
  for (const name of Object.keys(exampleSettings()))
    assert.match(checked.stdout, new RegExp(`^${name}=`, 'm'));
});

test('unpacked anywhere, with nothing else on the machine, it tails at load below 128 MB and within its share of the processor, and idles for nothing', async (t) => {
  const topic = await createTestTopic(3);
  const path = join(directory, 'access.log');
  const lines = Array.from({ length: 1_000 }, (_, index) => `${logLine({ id: `r${index}` })}\n`).join('');
  writeFileSync(path, '');
  for (let written = 0; written < LINES; written += 1_000) appendFileSync(path, lines);
  const adminPort = await freePort();
  const bounds = Object.entries(exampleSettings()).filter(([name]) => name.endsWith('_MAX'));
  const child = spawn(join(home, 'imscope-agent'), {
    cwd: '/',
    env: {
      ...Object.fromEntries(bounds),
      ...TAIL_ENVIRONMENT,
      KAFKA_BROKERS: testBroker(),
      KAFKA_TOPIC_PREFIX: topic.prefix,
      SPOOL_DIR: join(directory, 'state'),
      TAIL_FILES: path,
      ADMIN_PORT: String(adminPort),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  t.after(async () => {
    child.kill('SIGKILL');
    await topic.remove();
  });
  const pid = child.pid ?? assert.fail('it did not start');
  const metric = (name: string): Promise<number> =>
    readMetric(adminPort, `imscope_collector_${name}`).catch(() => 0);
  await until('lines are taken', async () => (await metric('records_accepted_total')) > 0);
  const [startMs, startS] = [performance.now(), processorSeconds(pid)];
  await until('all lines are durable', async () => (await metric('records_accepted_total')) >= LINES);
  const used = ((processorSeconds(pid) - startS) * 1_000) / (performance.now() - startMs);
  const allowed = Number(exampleSettings()['TAIL_PROCESSOR_PERCENT_MAX']) / 100;
  assert.ok(used < allowed + OVER_SHARE_MAX, `it took ${used} cores, ${allowed} are its share`);
  assert.equal(await metric('records_accepted_total'), LINES);
  const peak = peakResidentBytes(pid);
  assert.ok(peak < MEMORY_BYTES_MAX, `it took ${Math.round(peak / 1e6)} MB`);
  const shares: number[] = [];
  for (let window = 0; window < 3; window++) {
    const before = processorSeconds(pid);
    await sleep(2_000);
    shares.push((processorSeconds(pid) - before) / 2);
  }
  const idle = Math.min(...shares);
  assert.ok(idle < IDLE_SHARE_MAX, `idle it takes ${idle} of a core`);
  t.diagnostic(
    `peak ${Math.round(peak / 1e6)} MB, ${used.toFixed(2)} cores of ${allowed} at load, idle ${(idle * 100).toFixed(1)} % of a core`,
  );
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number | null];
  assert.equal(code, 0);
  assert.ok(!REPO_ROOT.startsWith(home));
});
