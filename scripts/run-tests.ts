/*
 * ./scripts/test after the packages: programs, lint, build, one broker for all, then every test file. The very last
 * line reads `N passed, N failed`; lint and build count as one each. Ends within its bound, whatever hangs.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import pc from 'picocolors';
import { createCommand, parseCommandLine } from './options/command-line.js';
import { type Broker, startBroker } from './stack/broker.js';
import { FOREIGN_PROGRAMS, provideForeignProgram } from './stack/foreign-programs.js';
import { hasKafkaJars } from './stack/kafka-jars.js';
import { lastLogLines } from './stack/process.js';
import {
  CHROMIUM,
  GO,
  HAPROXY,
  JAVA,
  MARIADB,
  MAVEN,
  NGINX,
  NGINX_STREAM,
  providePrograms,
  PYTHON,
  REDIS,
  STRACE,
} from './stack/programs.js';
import { REPO_ROOT } from './stack/repo-root.js';
import { runTestFiles } from './test-run/run-test-files.js';
import { startTestDatabases } from './test-run/start-databases.js';
import { stopOnSignals } from './test-run/stop-signals.js';
import { createTally, type Tally } from './test-run/tally.js';
import { withBroker } from './test-run/with-broker.js';

/**
 * Bounds for what hangs, not for what is slow: a run takes some 30 minutes on two idle cores, and may take several times
 * as long on busy ones.
 */
const TIME_MAX_MS = 75 * 60_000;
const FILE_TIME_MAX_MS = 10 * 60_000;
/** Two cores carry two test files with their services. */
const FILES_AT_ONCE = 2;
const BROKER_HEAP_MB = 640;
const PROGRESS_INTERVAL_MS = 10_000;
const OUTPUT_BYTES_MAX = 50_000_000;

const startedAt = Date.now();
const stopped = stopOnSignals();
const tally = createTally();
const command = createCommand(
  'scripts/test',
  'Runs every check and test: programs, lint, build, one broker for all, then every test file.',
).argument('[words...]', 'only files whose path holds one of these');
parseCommandLine(command, process.argv.slice(2));
const files = chosenFiles(command.args);

try {
  await runAll();
} catch (error) {
  const description = error instanceof Error ? (error.stack ?? error.message) : String(error);
  tally.check('test run', description);
  print(`${pc.red('✗')} ${description}`);
}
const { passed, failed } = tally.counts();
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
process.stdout.write(`${passed} passed, ${failed} failed\n`, () => process.exit());

async function runAll(): Promise<void> {
  // Maven only fetches Kafka's jars: a run that has them does without.
  const jars = (await hasKafkaJars()) ? [] : [MAVEN];
  const tracer = process.platform === 'linux' ? [STRACE] : [];
  const programs = [
    JAVA,
    ...jars,
    PYTHON,
    GO,
    NGINX,
    NGINX_STREAM,
    HAPROXY,
    MARIADB,
    REDIS,
    CHROMIUM,
    ...tracer,
  ];
  const provided = await providePrograms(programs, (names) => print(`installing ${names.join(', ')}`));
  if (!provided.ok) throw new Error(provided.message);
  for (const program of Object.values(FOREIGN_PROGRAMS)) await provideForeignProgram(program, print);
  const npx = ['--no-install', 'turbo', 'run', 'build', '--output-logs=errors-only', '--no-update-notifier'];
  await check(tally, 'build', 'npx', npx);
  await check(tally, 'lint, format and types', 'npm', ['run', '--silent', 'lint']);
  const directory = mkdtempSync(join(tmpdir(), 'imscope-test-run-'));
  const time = AbortSignal.timeout(Math.max(1, TIME_MAX_MS - (Date.now() - startedAt)));
  try {
    const brokerLog = await withBroker({
      start: () => startBroker({ dataDir: join(directory, 'kafka'), heapMb: BROKER_HEAP_MB }),
      stopping: AbortSignal.any([time, stopped]),
      run: (broker, signal) => withDatabases(directory, () => runFiles(broker, signal)),
    });
    reportEnd(time, brokerLog);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function withDatabases(directory: string, run: () => Promise<void>): Promise<void> {
  const databases = await startTestDatabases(directory);
  Object.assign(process.env, databases.environment);
  try {
    await run();
  } finally {
    await databases.stop();
  }
}

async function runFiles(broker: Broker, signal: AbortSignal): Promise<void> {
  process.env['IMSCOPE_TEST_KAFKA'] = broker.address;
  // picocolors colours wherever CI is set; tests read what a pipe would get.
  process.env['NO_COLOR'] = '1';
  print(`Kafka at ${broker.address}; ${files.length} test files`);
  let printedAt = Date.now();
  await runTestFiles({
    files,
    tally,
    signal,
    concurrency: FILES_AT_ONCE,
    fileTimeoutMs: FILE_TIME_MAX_MS,
    onFailure: ({ file, name, reason }, output) => {
      const said = output === '' ? '' : pc.dim(`\n  it printed:\n${indent(output)}`);
      print(`${pc.red('✗')} ${short(file)}: ${name}\n${indent(reason)}${said}`);
    },
    onProgress: (file) => {
      if (Date.now() - printedAt < PROGRESS_INTERVAL_MS) return;
      printedAt = Date.now();
      const { passed, failed } = tally.counts();
      print(`${passed} passed, ${failed} failed so far; now in ${short(file)}`);
    },
  });
}

/** @param brokerLog of a broker that ended before the run */
function reportEnd(time: AbortSignal, brokerLog: string | undefined): void {
  const before = tally.counts().failed;
  const failures = tally.finish(files);
  for (const { file, name, reason } of failures.slice(before))
    print(`${pc.red('✗')} ${short(file)}: ${name}: ${reason}`);
  if (time.aborted) print(pc.red('the time is over: what had not ended counts as failed'));
  if (stopped.aborted) print(pc.red(`${String(stopped.reason)}: what had not ended counts as failed`));
  if (brokerLog !== undefined)
    print(
      pc.red(
        `the broker of the tests ended: what had not ended counts as failed; the end of its log:\n${indent(lastLogLines(brokerLog))}`,
      ),
    );
  if (failures.length > 0)
    print(`failed:\n${failures.map(({ file, name }) => `  ${short(file)}: ${name}`).join('\n')}`);
  print('done');
}

/** One command that must end with 0; its output is shown only when it does not. */
async function check(into: Tally, name: string, command: string, args: readonly string[]): Promise<void> {
  print(`${name} …`);
  try {
    const options = { cwd: REPO_ROOT, maxBuffer: OUTPUT_BYTES_MAX, signal: stopped };
    await promisify(execFile)(command, args, options);
    into.check(name, undefined);
  } catch (error) {
    const output =
      error instanceof Error && 'stdout' in error && 'stderr' in error
        ? `${String(error.stdout)}${String(error.stderr)}`
        : String(error);
    into.check(name, output);
    print(`${pc.red('✗')} ${name}\n${indent(output.slice(-8_000))}`);
  }
}

/** All test files, the longest (end to end) first; or those whose path contains one of the given texts. */
function chosenFiles(words: readonly string[]): string[] {
  const folders = [
    join('scripts', 'end-to-end'),
    ...['services', 'scripts'].flatMap((parent) =>
      readdirSync(join(REPO_ROOT, parent)).map((folder) => join(parent, folder, 'test')),
    ),
    join('schemas', 'test'),
  ];
  const all = folders
    .map((folder) => join(REPO_ROOT, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.test.ts'))
        .toSorted()
        .map((file) => join(folder, file)),
    );
  return words.length === 0 ? all : all.filter((file) => words.some((word) => file.includes(word)));
}

function short(file: string): string {
  return file === '' ? 'check' : relative(REPO_ROOT, file);
}

function indent(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, '    ');
}

/** A line with the time since the start before it. */
function print(text: string): void {
  const elapsed = Math.floor((Date.now() - startedAt) / 1000);
  const clock = `${Math.floor(elapsed / 60)}:${String(elapsed % 60).padStart(2, '0')}`;
  process.stdout.write(`${pc.dim(clock)} ${text}\n`);
}
