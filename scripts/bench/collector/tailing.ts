/*
 * Measures a collector that tails an access log: lines as nginx writes them for simulated requests, appended all at
 * once, until Kafka has acknowledged the last (`acks=all`). Processor time is that of the complete process.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readMetric } from '../../stack/read-metric.js';
import { figure, printFigure, say } from '../figure.js';
import { peakResidentBytes, processorSeconds } from '../process-usage.js';
import { median } from '../statistics.js';
import type { BenchOptions } from './options.js';
import type { BenchStack } from './stack.js';

const LOG_FORMAT =
  '$remote_addr [$msec] "$request" $status $request_time $upstream_response_time $tcpinfo_rtt "$upstream_http_x_im_code" "$http_user_agent" $request_id';
const LINES_A_ROUND = 400_000;
const LINES_AT_ONCE = 10_000;
const GOAL_PER_CORE = 200_000;
/** Interval of reading the metrics: one read costs the collector about 2 ms, so it must be rare. */
const LOOK_MS = 200;
const COMMANDS = [
  'openim/sendmsg',
  'openim/batchsendmsg',
  'group_open_http_svc/send_group_msg',
  'sns/friend_add',
  'profile/portrait_set',
];

export async function measureTailing(stack: BenchStack, { rounds }: BenchOptions): Promise<void> {
  const { service, file } = await stack.startTailing(LOG_FORMAT);
  const accepted = (): Promise<number> =>
    readMetric(service.adminPort, 'imscope_collector_records_accepted_total');
  const rates: number[] = [];
  const perCore: number[] = [];
  // The first round is not counted, because code is compiled in it.
  for (let round = 0; round <= rounds; round++) {
    const before = await accepted();
    const chunks = Array.from({ length: LINES_A_ROUND / LINES_AT_ONCE }, (_, part) => linesOf(round, part));
    const startMs = performance.now();
    const startS = processorSeconds(service.pid);
    for (const chunk of chunks) appendFileSync(file, chunk);
    while ((await accepted()) < before + LINES_A_ROUND) await sleep(LOOK_MS);
    const seconds = (performance.now() - startMs) / 1_000;
    const processor = processorSeconds(service.pid) - startS;
    const [rate, core] = [LINES_A_ROUND / seconds, LINES_A_ROUND / processor];
    say(`  tail.nginx: ${Math.round(rate)} lines/s, ${Math.round(core)} for a second of processor time`);
    if (round === 0) continue;
    rates.push(rate);
    perCore.push(core);
  }
  printFigure(figure('tail.nginx.lines', median(rates), 'lines/s'));
  printFigure(
    figure('tail.nginx.lines-per-core', median(perCore), 'lines per second of processor time', {
      interval: [Math.min(...perCore), Math.max(...perCore)],
      goal: { bound: 'at_least', limit: GOAL_PER_CORE },
    }),
  );
  printFigure(figure('tail.nginx.memory-peak', peakResidentBytes(service.pid) / 1e6, 'MB'));
  await service.stop();
}

function linesOf(round: number, part: number): string {
  const nowMs = Date.now();
  return Array.from({ length: LINES_AT_ONCE }, (_, index) =>
    lineOf((round * 100 + part) * LINES_AT_ONCE + index, nowMs),
  ).join('');
}

/** About 400 bytes, half of them a usersig. */
function lineOf(number: number, nowMs: number): string {
  const mixed = Math.imul(number + 1, 2_654_435_761) >>> 0;
  const application = 1_400_000_000 + (mixed % 500);
  const command = COMMANDS[mixed % COMMANDS.length];
  const usersig = `eJyrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oy0zLBwomlRfllqSCx4pTsxILM4tKi1BIlK0MDAwMjEwMDc5B4ZkpqXklmWiZUS2leZnFJapGSlQFMcVFpEqqiAgMDU5B4aVFOiZKVIUhHLQD${mixed}`;
  const time = ((nowMs - (number % 1_000)) / 1_000).toFixed(3);
  const code = mixed % 20 === 0 ? 70_001 : 0;
  const id = mixed.toString(16).padStart(8, '0').repeat(4);
  const took = (0.01 + (mixed % 90) / 1_000).toFixed(3);
  return `203.0.${mixed % 250}.${number % 250} [${time}] "POST /v4/${command}?sdkappid=${application}&identifier=administrator&usersig=${usersig}&random=${mixed}&contenttype=json HTTP/1.1" 200 ${took} ${took} ${mixed % 9_000} "${code}" "Java/1.8.0_292" ${id}\n`;
}
