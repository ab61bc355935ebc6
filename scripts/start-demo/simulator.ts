/*
 * The simulator as a child process: one for the history, which ends, and one for live traffic, whose control port reports
 * what was sent and begins incidents.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { freePort } from '../stack/ports.js';
import {
  type ManagedProcess,
  type OnSpawn,
  lastLogLines,
  startProcess,
  waitUntil,
} from '../stack/process.js';
import { REPO_ROOT } from '../stack/repo-root.js';
import { type Incident, INCIDENT_NAMES, type IncidentName } from '../simulate-gateway/incidents.js';
import type { HistorySpan } from './history-collector.js';
import { APPLICATIONS } from './incident-text.js';

export const SIMULATOR_FILE = join(REPO_ROOT, 'scripts', 'simulate-gateway', 'main.ts');

const Totals = Type.Object({
  acknowledged: Type.Integer(),
  ambiguous: Type.Integer(),
  rejected: Type.Integer(),
  unsent: Type.Integer(),
  skipped: Type.Integer(),
});
export type SimulatorTotals = {
  readonly acknowledged: number;
  readonly ambiguous: number;
  readonly rejected: number;
  readonly unsent: number;
  readonly skipped: number;
};
const KnownIncident = Type.Object({
  name: Type.Union(INCIDENT_NAMES.map((name) => Type.Literal(name))),
  fromMs: Type.Number(),
  /** Null: without a planned end. */
  toMs: Type.Union([Type.Number(), Type.Null()]),
  applicationIndex: Type.Integer(),
});
const Truth = Type.Object({
  totals: Totals,
  incidents: Type.Array(Type.Intersect([KnownIncident, Type.Object({ text: Type.String() })])),
});
const State = Type.Object({
  running: Type.Array(Type.String()),
  incidents: Type.Array(KnownIncident),
  totals: Totals,
});

export type SimulatorState = {
  readonly running: readonly string[];
  readonly incidents: readonly Static<typeof KnownIncident>[];
  readonly totals: SimulatorTotals;
};

export type SimulatorOptions = {
  readonly collectorUrl: string;
  readonly token: string;
  /** Directory of its log and its truth. */
  readonly dir: string;
  readonly onSpawn: OnSpawn;
};

export type History = { readonly totals: SimulatorTotals; readonly incidents: readonly string[] };

const READY_TIMEOUT_MS = 30_000;
const STOP_GRACE_MS = 30_000;
const POLL_MS = 500;
export const NO_TOTALS: SimulatorTotals = {
  acknowledged: 0,
  ambiguous: 0,
  rejected: 0,
  unsent: 0,
  skipped: 0,
};

/** Sends the history of a span. @param onProgress records acknowledged so far */
export async function sendHistory(
  options: SimulatorOptions & {
    readonly span: HistorySpan;
    readonly records: number;
    readonly onProgress: (sent: number) => void;
  },
): Promise<History> {
  const { fromMs, toMs } = options.span;
  const truthFile = historyTruthFile(options.dir);
  rmSync(truthFile, { force: true });
  const { child, controlPort } = await start('history', options, [
    '--history',
    `${toMs - fromMs}ms`,
    '--until',
    new Date(toMs).toISOString(),
    '--records',
    String(options.records),
    '--batch',
    '2000',
    '--truth',
    truthFile,
  ]);
  while (child.isRunning()) {
    const state = await askState(controlPort).catch(() => undefined);
    if (state !== undefined) options.onProgress(state.totals.acknowledged);
    await Promise.race([child.exited, sleep(POLL_MS)]);
  }
  const { code } = await child.exited;
  // 1: not all records were accepted, which the balance shows; with any other code there is no valid truth.
  if (code !== 0 && code !== 1) throw new Error(`history was not sent:\n${lastLogLines(child.logFile)}`);
  const { totals, incidents } = readTruth(truthFile);
  return { totals, incidents: incidents.map(({ text }) => text) };
}

export type LiveTraffic = ManagedProcess & {
  state(): Promise<SimulatorState>;
  /** @param forS seconds it lasts */
  begin(incident: IncidentName, forS: number): Promise<Incident>;
  /** Ends it once requests in flight are answered, and returns its final totals. */
  finish(): Promise<SimulatorTotals>;
};

/** Starts live traffic; resolves once its control port answers. */
export async function startLiveTraffic(
  options: SimulatorOptions & { readonly ratePerSecond: number },
): Promise<LiveTraffic> {
  const truthFile = join(options.dir, 'live-truth.json');
  rmSync(truthFile, { force: true });
  const { child, controlPort } = await start('live', options, [
    '--rate',
    String(options.ratePerSecond),
    '--truth',
    truthFile,
  ]);
  try {
    await waitUntil(child, () => probeControl(controlPort), READY_TIMEOUT_MS);
  } catch (error) {
    await child.kill();
    throw error;
  }
  return {
    ...child,
    state: () => askState(controlPort),
    begin: async (incident, forS) => {
      const address = `http://127.0.0.1:${controlPort}/incidents/${incident}?for=${forS}s`;
      const response = await fetch(address, { method: 'POST', signal: AbortSignal.timeout(5_000) });
      const state: unknown = await response.json();
      const begun = Value.Check(State, state) ? withEnd(state.incidents).at(-1) : undefined;
      if (!response.ok || begun?.name !== incident)
        throw new Error(`the simulator did not begin ${incident}: ${JSON.stringify(state)}`);
      return begun;
    },
    finish: async () => {
      await child.stop(STOP_GRACE_MS);
      return readTruth(truthFile).totals;
    },
  };
}

async function start(
  phase: 'history' | 'live',
  options: SimulatorOptions,
  args: readonly string[],
): Promise<{ child: ManagedProcess; controlPort: number }> {
  const controlPort = await freePort();
  const child = await startProcess({
    name: `simulator-${phase}`,
    command: process.execPath,
    args: [
      '--conditions=imscope-source',
      '--import',
      'tsx',
      SIMULATOR_FILE,
      '--url',
      options.collectorUrl,
      '--control-port',
      String(controlPort),
      '--applications',
      String(APPLICATIONS),
      '--progress',
      'none',
      ...args,
    ],
    env: { IMSCOPE_TOKEN: options.token },
    logFile: join(options.dir, `simulator-${phase}.log`),
    cwd: REPO_ROOT,
    onSpawn: options.onSpawn,
  });
  return { child, controlPort };
}

async function askState(controlPort: number): Promise<SimulatorState> {
  const response = await fetch(`http://127.0.0.1:${controlPort}/state`, {
    signal: AbortSignal.timeout(2_000),
  });
  const state: unknown = await response.json();
  if (!Value.Check(State, state)) throw new Error('the simulator answered in an unknown form');
  return state;
}

async function probeControl(controlPort: number): Promise<string | undefined> {
  try {
    await askState(controlPort);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The incident of the history that was sent into this data directory, also by an earlier start. */
export function readHistoryIncidents(dir: string): readonly Incident[] {
  const file = historyTruthFile(dir);
  return existsSync(file) ? withEnd(readTruth(file).incidents) : [];
}

function historyTruthFile(dir: string): string {
  return join(dir, 'history-truth.json');
}

function withEnd(incidents: readonly Static<typeof KnownIncident>[]): Incident[] {
  return incidents.map(({ toMs, ...one }) => ({ ...one, toMs: toMs ?? Number.POSITIVE_INFINITY }));
}

function readTruth(file: string): Static<typeof Truth> {
  const truth: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!Value.Check(Truth, truth)) throw new Error(`${file} does not hold the simulator's truth`);
  return truth;
}
