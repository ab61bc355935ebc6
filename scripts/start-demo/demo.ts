/*
 * The demonstration from the first step to the last: prepare the machine, start the stack, send history, continue with
 * live traffic, show the balance, stop in reverse order. Promise: LOST and DOUBLED are counted, never assumed, and no
 * process that was started is left running.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pc from 'picocolors';
import { hasKafkaJars } from '../stack/kafka-jars.js';
import type { Credentials } from '../stack/credentials.js';
import { stopLeftovers } from '../stack/leftovers.js';
import { boundLog, type ManagedProcess } from '../stack/process.js';
import { preflight } from '../stack/preflight.js';
import { JAVA, MAVEN, providePrograms } from '../stack/programs.js';
import { inWorkDir } from '../stack/repo-root.js';
import { Stack } from '../stack/stack.js';
import type { SupervisorEvent } from '../stack/supervisor.js';
import { AnnouncedIncident } from './announced-incident.js';
import { addBalances, type Balance, isEven, NOTHING } from './balance.js';
import { createStoredCounter } from './count-stored.js';
import { endCutOffHistory, historyState, sendHistoryOnce, type StartHistoryCollector } from './history.js';
import { startHistoryCollector } from './history-collector.js';
import { type Live, startLive } from './live.js';
import { openLogPositions, waitCaughtUp } from './log-positions.js';
import { residentBytes } from './memory.js';
import { incidentAnswer, incidentLink } from './incident-text.js';
import type { DemoOptions } from './options.js';
import { createSignInLink, fetchApplications } from './query-api.js';
import { type Screen, seconds } from './screen.js';
import { readHistoryIncidents } from './simulator.js';
import { type DemoStack, rememberIn, startDemoStack } from './start-stack.js';
import { applicationsTable, balanceLine, directions, number } from './texts.js';

/** Calls of `screen.step`: one for the machine, seven for the stack, one for the history. */
export const STEPS = 9;

export type DemoContext = {
  readonly options: DemoOptions;
  readonly screen: Screen;
  /** Aborted at the first Ctrl-C. */
  readonly stopping: AbortSignal;
  readonly children: Set<ManagedProcess>;
  readonly onEvent: (event: SupervisorEvent) => void;
};

const REFRESH_MS = 2_000;
const GIB = 2 ** 30;

/** Runs it until it is stopped. @returns true where every record sent is stored once */
export async function runDemo(context: DemoContext): Promise<boolean> {
  const stack = new Stack({
    name: 'demo',
    mode: 'built',
    directory: context.options.data,
    onSpawn: rememberChild(context),
    onSupervisorEvent: context.onEvent,
  });
  try {
    return await runUntilStopped(context, stack);
  } finally {
    context.screen.status('');
    await stack.end((name, tookMs) => context.screen.print(pc.dim(`stopped ${name} ${seconds(tookMs)}`)));
    context.screen.print(
      `Data, logs and tokens: ${context.options.data} (start again to continue, --fresh to start with no data)`,
    );
  }
}

async function runUntilStopped(context: DemoContext, stack: Stack): Promise<boolean> {
  const { options, screen, stopping } = context;
  await orStopped(
    stopping,
    screen.step('this machine', (say) => prepareMachine(options, say)),
  );
  const demo = await orStopped(stopping, startDemoStack(stack, options, screen));
  const { credentials } = stack;
  const counter = createStoredCounter(demo.store);
  stack.onEnd('observer of the store', () => counter.close());
  const simulator = {
    collectorUrl: demo.collectorUrl,
    token: credentials.writeToken,
    dir: join(options.data, 'logs'),
    onSpawn: rememberChild(context),
  };
  const startHistory: StartHistoryCollector = (span) => startHistoryCollector(stack, span);
  const positions = await openLogPositions(`127.0.0.1:${options.kafkaPort}`);
  stack.onEnd('observer of Kafka', () => positions.close());
  if (!(await orStopped(stopping, waitCaughtUp(positions, stopping)))) {
    screen.print(
      pc.yellow('what an earlier start left in Kafka is still not stored: it will show as unexplained'),
    );
  }
  const history = await orStopped(
    stopping,
    screen.step('history', (say) =>
      provideHistory(context, { ...simulator, counter, startCollector: startHistory }, say),
    ),
  );
  const live = options.traffic
    ? await startLive({
        ...simulator,
        counter,
        positions,
        ratePerSecond: options.rate,
        onEvent: context.onEvent,
      })
    : undefined;
  if (live !== undefined) stack.onEnd('simulator', () => live.stop());
  await showWhereItIs(context, demo, credentials);
  await watch(context, live, history, demo.queryUrl);
  return summarize(context, live, history);
}

/** Rejects as soon as a stop is requested; `runDemo` then stops what the work started. */
async function orStopped<T>(stopping: AbortSignal, work: Promise<T>): Promise<T> {
  stopping.throwIfAborted();
  const aborted = new Promise<never>((_resolve, reject) =>
    stopping.addEventListener('abort', () => reject(stopping.reason), { once: true }),
  );
  return Promise.race([work, aborted]);
}

async function prepareMachine(options: DemoOptions, say: (text: string) => void): Promise<void> {
  const runDir = join(options.data, 'run');
  const leftovers = await stopLeftovers(runDir);
  if (leftovers.length > 0)
    say(`stopped what an earlier start left: ${leftovers.map(({ name }) => name).join(', ')}`);
  if (options.fresh) rmSync(options.data, { recursive: true, force: true });
  const local = '127.0.0.1';
  const lacks = await preflight(options.data, [
    { port: options.port, host: options.host, what: 'the dashboard', option: '--port' },
    { port: options.collectorPort, host: local, what: 'the collector', option: '--collector-port' },
    { port: options.registryPort, host: local, what: 'the registry', option: '--registry-port' },
    { port: options.storePort, host: local, what: 'the store', option: '--store-port' },
    { port: options.kafkaPort, host: local, what: 'Kafka', option: '--kafka-port' },
  ]);
  if (lacks.length > 0)
    throw new Error(`this machine is not ready:\n${lacks.map((lack) => `  ${lack}`).join('\n')}`);
  // Maven only fetches the jars: a start that has them does without.
  const programs = (await hasKafkaJars()) ? [JAVA] : [JAVA, MAVEN];
  const provided = await providePrograms(programs, (names) =>
    say(`installing ${names.join(' and ')} with apt-get`),
  );
  if (!provided.ok) throw new Error(provided.message);
}

/** @returns its balance; even where it was sent by an earlier start */
async function provideHistory(
  { options, screen, stopping }: DemoContext,
  simulator: Omit<Parameters<typeof sendHistoryOnce>[0], 'dataDir' | 'records' | 'onProgress' | 'signal'>,
  say: (text: string) => void,
): Promise<Balance> {
  if (!options.traffic) return NOTHING;
  const state = historyState(options.data);
  if (state !== undefined) {
    await endCutOffHistory(state, simulator.startCollector);
    const cutOff = 'an earlier start was stopped while it sent; --fresh sends it whole';
    screen.print(`    ${state.state === 'sent' ? 'there already, from an earlier start' : cutOff}`);
    return NOTHING;
  }
  const sent = await sendHistoryOnce({
    ...simulator,
    dataDir: options.data,
    records: options.records,
    onProgress: say,
    signal: stopping,
  });
  const { balance, incidents, sentInMs, storedInMs, totals } = sent;
  const perSecond = Math.round((balance.stored / storedInMs) * 1000);
  screen.print(
    `    six days of simulated requests: ${number(balance.sent)} sent in ${seconds(sentInMs)}, all stored after ${seconds(storedInMs)} (${number(perSecond)}/s)`,
  );
  if (totals.rejected + totals.unsent > 0) {
    screen.print(
      pc.yellow(
        `    ${number(totals.rejected)} rejected, ${number(totals.unsent)} given up: see logs/history-truth.json`,
      ),
    );
  }
  for (const incident of incidents) screen.print(`    with one incident in it: ${incident}`);
  return balance;
}

async function showWhereItIs(
  { options, screen }: DemoContext,
  stack: DemoStack,
  { readToken, adminToken, secretsFile }: Credentials,
): Promise<void> {
  const applications = await fetchApplications(stack.queryUrl, readToken, 'now-24h');
  screen.print(
    `\n${pc.bold('Applications of the last 24 hours, worst first')} ${pc.dim('(all traffic here is simulated)')}`,
  );
  screen.print(applicationsTable(applications));
  const { port, host } = options;
  const metricsUrls = Object.entries(stack.adminPorts).map(
    ([name, admin]) => `${name} http://127.0.0.1:${admin}/metrics`,
  );
  // The person who starts the demonstration operates it.
  const signInLink = await createSignInLink(stack.queryUrl, adminToken);
  const { collectorUrl, queryUrl, registryUrl } = stack;
  const isFound = options.data === inWorkDir('data');
  const where = {
    signInLink,
    port,
    host,
    collectorUrl,
    queryUrl,
    registryUrl,
    secretsFile,
    isFound,
    metricsUrls,
  };
  screen.print(`\n${directions(where)}\n`);
  if (!options.traffic) return;
  for (const incident of readHistoryIncidents(join(options.data, 'logs'))) {
    screen.print(`The incident of the history: ${incidentAnswer(incident)}`);
    screen.print(`    ${pc.cyan(incidentLink(queryUrl, incident, Date.now()))}\n`);
  }
}

/** Shows the balance until a stop is requested or the time is over; begins the announced incident. */
async function watch(
  context: DemoContext,
  live: Live | undefined,
  history: Balance,
  queryUrl: string,
): Promise<void> {
  const { options, screen, stopping } = context;
  const startMs = Date.now();
  const runMs = options.for ?? Number.POSITIVE_INFINITY;
  const endsAt = startMs + runMs;
  const incident =
    live === undefined
      ? undefined
      : new AnnouncedIncident({ queryUrl, startMs, runMs, begin: live.begin, print: screen.print });
  while (!stopping.aborted && Date.now() < endsAt) {
    const state = await live?.state().catch(() => undefined);
    await incident?.advance(Date.now(), state?.incidents);
    const balance = addBalances(history, state?.balance ?? NOTHING);
    const memory = `${(memoryBytes(context.children) / GIB).toFixed(1)} GB`;
    const rate = state === undefined ? '' : `${options.rate}/s  `;
    screen.status(
      `${clock()} ${balanceLine(balance, state?.freshMs, state?.waitingMs)}  ${pc.dim(`${rate}memory ${memory}  Ctrl-C stops`)}`,
    );
    for (const { logFile } of context.children) boundLog(logFile);
    await sleep(Math.min(REFRESH_MS, Math.max(0, endsAt - Date.now())), undefined, {
      signal: stopping,
    }).catch(() => undefined);
  }
}

async function summarize(
  { screen, children }: DemoContext,
  live: Live | undefined,
  history: Balance,
): Promise<boolean> {
  screen.status('waiting for the last rows …');
  const memory = memoryBytes(children);
  // A stop was already requested, and this wait has its own bound.
  const last = await live?.finish(new AbortController().signal);
  const balance = addBalances(history, last?.balance ?? NOTHING);
  screen.status('');
  screen.print(`\n${pc.bold(balanceLine(balance))}`);
  const { rejected, unsent, skipped, ambiguous } = last?.totals ?? {
    rejected: 0,
    unsent: 0,
    skipped: 0,
    ambiguous: 0,
  };
  if (rejected + unsent + skipped + ambiguous > 0) {
    screen.print(
      `rejected ${number(rejected)}, given up ${number(unsent)}, never sent ${number(skipped)}, answer lost ${number(ambiguous)}: none of these counts as SENT`,
    );
  }
  if (last?.isComplete === false) {
    screen.print('the simulator was killed before its final report: it had sent more than it reported');
  }
  screen.print(`memory of all processes ${(memory / GIB).toFixed(2)} GB`);
  return isEven(balance);
}

function rememberChild({ options, children }: DemoContext): (child: ManagedProcess) => void {
  const remember = rememberIn(join(options.data, 'run'));
  return (child) => {
    remember(child);
    children.add(child);
    void child.exited.then(() => children.delete(child));
  };
}

/** Of every child and of this process. */
function memoryBytes(children: ReadonlySet<ManagedProcess>): number {
  const bytes = residentBytes([process.pid, ...Array.from(children, ({ pid }) => pid)]);
  return [...bytes.values()].reduce((total, one) => total + one, 0);
}

function clock(): string {
  return new Date().toTimeString().slice(0, 8);
}
