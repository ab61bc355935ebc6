/*
 * The texts of the start command: the balance in one line, the applications, and what to do next. Pure functions.
 */
import Table from 'cli-table3';
import pc from 'picocolors';
import type { ApplicationRow } from '@imscope/schemas/query-api/applications.js';
import type { Balance } from './balance.js';
import { seconds } from './screen.js';

const APPLICATIONS_SHOWN = 8;
/** A shorter wait is normal: a block is closed after one second. */
const WAITING_MS_SHOWN = 8_000;

/** `SENT 2,401,812  STORED 2,401,812  LOST 0  DOUBLED 0  FRESH 0.8 s` */
export function balanceLine(balance: Balance, freshMs?: number, waitingMs = 0): string {
  const { sent, stored, lost, doubled, unexplained } = balance;
  const bad = (name: string, count: number): string =>
    count === 0 ? pc.green(`${name} 0`) : pc.red(pc.bold(`${name} ${number(count)}`));
  return [
    `SENT ${number(sent)}`,
    `STORED ${number(stored)}`,
    bad('LOST', lost),
    bad('DOUBLED', doubled),
    ...(unexplained === 0 ? [] : [bad('UNEXPLAINED', unexplained)]),
    ...(waitingMs < WAITING_MS_SHOWN ? [] : [pc.yellow(`WAITING FOR ${seconds(waitingMs)} in Kafka`)]),
    ...(freshMs === undefined ? [] : [`FRESH ${seconds(freshMs)}`]),
  ].join('  ');
}

/** The worst applications, as a table. @param rows worst first */
export function applicationsTable(rows: readonly ApplicationRow[]): string {
  const table = new Table({
    head: [
      'application',
      'name',
      'requests',
      'success',
      'service errors',
      'avg ms',
      'p99 ms',
      'worst interface',
    ],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows.slice(0, APPLICATIONS_SHOWN)) {
    table.push([
      String(row.sdk_app_id),
      row.name,
      number(row.requests),
      row.success_rate === null ? '–' : `${(row.success_rate * 100).toFixed(2)} %`,
      number(row.outcomes.service_error),
      decimal(row.latency_ms.avg),
      decimal(row.latency_ms.p99),
      row.worst_interface === null || row.worst_interface.service_errors === 0
        ? ''
        : `${row.worst_interface.interface} (${number(row.worst_interface.service_errors)})`,
    ]);
  }
  const more = rows.length - APPLICATIONS_SHOWN;
  return more > 0 ? `${table.toString()}\n  and ${more} more` : table.toString();
}

export type Directions = {
  readonly signInLink: string;
  readonly port: number;
  readonly host: string;
  readonly collectorUrl: string;
  readonly queryUrl: string;
  readonly registryUrl: string;
  readonly secretsFile: string;
  /** Whether the data are where `./scripts/imscope` finds the local stack. */
  readonly isFound: boolean;
  readonly metricsUrls: readonly string[];
};

/** How to open the dashboard, from here and from elsewhere, and what to try. Commands can be pasted unchanged. */
export function directions(where: Directions): string {
  const { signInLink, port, host, queryUrl, collectorUrl, registryUrl, secretsFile, isFound } = where;
  const outside = host !== '127.0.0.1' && host !== 'localhost';
  const token = (name: string): string => `$(node -p "require('${secretsFile}').${name}")`;
  // With data elsewhere (`--data`) the command needs options to find the stack.
  const at = (option: string): string => (isFound ? '' : ` ${option} --token-file ${secretsFile}`);
  return [
    `  ${pc.bold('Open')}       ${pc.cyan(pc.underline(signInLink))}`,
    pc.dim(
      '             signs in once as the local operator, within ten minutes; later, sign in with adminToken or readToken',
    ),
    outside
      ? pc.yellow(
          `             listens on ${host}: everybody who can reach this machine can open the sign-in page, and traffic is not encrypted`,
        )
      : `  ${pc.bold('Elsewhere')}  ssh -L ${port}:127.0.0.1:${port} <this machine>, then open the same link there`,
    '',
    `  ${pc.bold('Try')}`,
    command('kill -9 any service', 'it comes back; LOST and DOUBLED stay 0'),
    command('a live table', `./scripts/imscope top${at(`--query ${queryUrl}`)}`),
    command(
      'change an application',
      `./scripts/imscope app set 1400000123 configuration.recent_contacts_max=200 --reason "a try"${at(`--registry ${registryUrl}`)}`,
    ),
    command(
      'send an access log',
      `./scripts/imscope send access.log --format nginx${at(`--collector ${collectorUrl}`)}`,
    ),
    command('set both tokens', `READ=${token('readToken')} WRITE=${token('writeToken')}`),
    command('ask the API', `curl -H "Authorization: Bearer $READ" ${queryUrl}/v1/applications`),
    command('send a record', `curl -H "Authorization: Bearer $WRITE" -H "Content-Type: application/json" \\`),
    command(
      '',
      `  ${collectorUrl}/v1/request-logs -d '{"time":'$(date +%s000)',"sdk_app_id":1400000001,"interface":"openim/sendmsg","exit_ip":"203.0.113.7","latency_ms":41.5,"code":0,"http_status":200}'`,
    ),
    command('metrics', where.metricsUrls.join('  ')),
  ].join('\n');
}

function command(label: string, line: string): string {
  return `    ${label.padEnd(22)} ${line}`;
}

export function number(value: number): string {
  return value.toLocaleString('en-US');
}

function decimal(value: number | null): string {
  return value === null ? '–' : value.toFixed(1);
}
