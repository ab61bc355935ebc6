/*
 * Simulates the gateways of an IM cloud: reads the command line, sends history and then live traffic, and prints the
 * truth. Exit codes: 0 all records are acknowledged, 1 some were refused, given up or are in doubt, 2 it could not run.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { openCollector } from './collector-client.js';
import { startControl } from './control-server.js';
import { createTraffic, type Traffic } from './generate.js';
import { incident, IncidentSchedule } from './incidents.js';
import { pastIncident } from './past-incident.js';
import { readSimulatorOptions, type SimulatorOptions } from './options.js';
import { sendHistory, SendingRefused, sendLive, type Progress, type SendOptions } from './send.js';
import { renderIncident, renderSummary } from './summary.js';
import { Truth } from './truth.js';

/** Without history and rate, records are spread over this long before now. */
const RECENT_MS = 600_000;
/** The past incident hits the fourth application. */
const PAST_APPLICATION_INDEX = 3;

async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const options = readSimulatorOptions(argv);
  const token = readToken(options, env);
  const traffic = createTraffic({ seed: options.seed, applications: options.applications });
  const truth = new Truth(traffic.applications, traffic.series, options.exact);
  const schedule = new IncidentSchedule();
  const client = openCollector({
    url: options.url,
    ...(token === undefined ? {} : { token }),
    connections: options.inFlight,
    gzip: options.gzip,
    giveUpAfterMs: options.giveUpAfter,
  });
  let latest: Progress | undefined;
  const control =
    options.controlPort === undefined
      ? undefined
      : await startControl({
          port: options.controlPort,
          schedule,
          state: () => ({ progress: latest ?? null, totals: truth.totals() }),
        });
  if (control !== undefined) printProgress(options, { type: 'control', port: control.port });
  const sending: SendOptions = {
    traffic,
    client,
    truth,
    schedule,
    ...(options.batch === undefined ? {} : { batchRecords: options.batch }),
    format: options.format,
    inFlightMax: options.inFlight,
    stopping: stopOnSignals(),
    onProgress: (progress) => {
      latest = progress;
      printProgress(options, { type: 'progress', ...progress });
    },
  };
  const refusal = await sendAll(options, sending, schedule);
  await control?.stop();
  await client.close();
  report(options, truth, schedule, traffic);
  if (refusal !== undefined) process.stderr.write(`${refusal}\n`);
  const { rejected, ambiguous, unsent } = truth.totals();
  return refusal === undefined && rejected + ambiguous + unsent === 0 ? 0 : 1;
}

/** Sends history, then live traffic. @returns the reason if the collector refused */
async function sendAll(
  options: SimulatorOptions,
  sending: SendOptions,
  schedule: IncidentSchedule,
): Promise<string | undefined> {
  const { history, rate, records } = options;
  try {
    const toMs = options.until ?? Date.now();
    if (history !== undefined && records !== undefined) {
      if (options.pastIncident) {
        schedule.add(
          pastIncident(sending.traffic.applications, PAST_APPLICATION_INDEX, toMs - history, toMs),
        );
      }
      await sendHistory({ ...sending, fromMs: toMs - history, toMs, count: records });
    } else if (rate === undefined && records !== undefined) {
      await sendHistory({ ...sending, fromMs: toMs - RECENT_MS, toMs, count: records });
    }
    if (rate !== undefined && sending.stopping?.aborted !== true) {
      const startMs = Date.now();
      for (const { afterMs, name, forMs } of options.incidentAt) {
        schedule.add(incident(name, startMs + afterMs, startMs + afterMs + forMs));
      }
      await sendLive({
        ...sending,
        ratePerSecond: rate,
        ...(history === undefined && records !== undefined ? { count: records } : {}),
        ...(options.for === undefined ? {} : { forMs: options.for }),
      });
    }
    return undefined;
  } catch (error) {
    if (error instanceof SendingRefused) return error.message;
    throw error;
  }
}

function readToken(options: SimulatorOptions, env: NodeJS.ProcessEnv): string | undefined {
  const token =
    options.tokenFile === undefined ? env['IMSCOPE_TOKEN'] : readFileSync(options.tokenFile, 'utf8');
  return token === undefined || token.trim() === '' ? undefined : token.trim();
}

function stopOnSignals(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  return stop.signal;
}

type ProgressLine =
  ({ readonly type: 'progress' } & Progress) | { readonly type: 'control'; readonly port: number };

function printProgress(options: SimulatorOptions, line: ProgressLine): void {
  if (options.progress === 'json') process.stdout.write(`${JSON.stringify(line)}\n`);
  if (options.progress !== 'text') return;
  if (line.type === 'control') {
    process.stderr.write(`control port http://127.0.0.1:${line.port}\n`);
    return;
  }
  const { phase, accepted, planned, perSecond, rejected, skipped, incidents } = line;
  const counts = [accepted, rejected, skipped].map((count) => count.toLocaleString('en-US'));
  process.stderr.write(
    `${phase} ${counts[0]}${planned === null ? '' : ` of ${planned.toLocaleString('en-US')}`} acknowledged, ` +
      `${perSecond.toLocaleString('en-US')}/s, ${counts[1]} rejected, ${counts[2]} skipped ` +
      `${incidents.length > 0 ? `· ${incidents.join(', ')}` : ''}\n`,
  );
}

function report(options: SimulatorOptions, truth: Truth, schedule: IncidentSchedule, traffic: Traffic): void {
  const known = truth.report();
  const incidents = schedule.all();
  const result = {
    seed: options.seed,
    incidents: incidents.map((one) => ({
      ...one,
      toMs: Number.isFinite(one.toMs) ? one.toMs : null,
      text: renderIncident(one, traffic.applications),
    })),
    ...known,
  };
  if (options.truth !== undefined) writeFileSync(options.truth, `${JSON.stringify(result, null, 2)}\n`);
  if (options.progress === 'json') {
    process.stdout.write(
      `${JSON.stringify({ type: 'summary', incidents: result.incidents, totals: known.totals })}\n`,
    );
    return;
  }
  for (const one of incidents) process.stdout.write(`${renderIncident(one, traffic.applications)}\n`);
  process.stdout.write(renderSummary(known, options.interfaces));
}

try {
  process.exitCode = await main(process.argv.slice(2), process.env);
} catch (error) {
  process.stderr.write(
    `simulate-gateway could not run: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exitCode = 2;
}
