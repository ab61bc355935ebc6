/* Applications, versions, tokens and differences for people. Pure. Foreign text is made safe for a terminal. */
import type {
  Application,
  ApplicationSummary,
  Difference,
  VersionSummary,
} from '@imscope/schemas/registry-api/application.js';
import type { Token } from '@imscope/schemas/registry-api/tokens.js';
import Table from 'cli-table3';
import colors from 'picocolors';
import { NO_LINES } from '../command/no-lines.js';
import { printable } from '../command/http-answer.js';

const TEXT_LENGTH_MAX = 200;
const NAME_LENGTH_MAX = 32;

export function applicationsText(applications: readonly ApplicationSummary[]): string {
  return tableText(
    ['SDKAPPID', 'NAME', 'OWNER', 'PACKAGE', 'DATA CENTRE', 'STATUS', 'VERSION', 'UPDATED'],
    applications.map((one) => [
      String(one.sdk_app_id),
      printable(one.name, NAME_LENGTH_MAX),
      printable(one.owner, NAME_LENGTH_MAX),
      one.package,
      one.data_centre,
      statusText(one.status),
      String(one.version),
      minute(one.updated_at),
    ]),
  );
}

/** Everything but its lists of secrets: these are only named. */
export function applicationText(application: Application): string {
  const { details, settings, configuration, secrets } = application;
  const head = [
    ['SDKAppID', String(application.sdk_app_id)],
    ['APPID, UIN', `${application.app_id}, ${application.uin}`],
    ['status', statusText(application.status)],
    ['version, revision', `${application.version}, ${application.revision}`],
    ['created, updated', `${minute(application.created_at)}, ${minute(application.updated_at)}`],
    ...(application.terminated_at === null ? [] : [['terminated', minute(application.terminated_at)]]),
    ...(application.purge_at === null ? [] : [['purged from', minute(application.purge_at)]]),
    ...secrets.map(({ name, set_at }) => [
      'secret',
      `${printable(name, TEXT_LENGTH_MAX)}, set ${minute(set_at)}`,
    ]),
  ];
  const parts = { details, settings, configuration };
  const values = leaves(parts).map(([path, value]) => [path, shown(value)]);
  return `${twoColumns(head)}\n\n${twoColumns(values)}`;
}

export function versionsText(versions: readonly VersionSummary[]): string {
  return tableText(
    ['VERSION', 'AT', 'AUTHOR', 'REASON'],
    versions.map(({ version, created_at, author, reason }) => [
      String(version),
      minute(created_at),
      printable(author, NAME_LENGTH_MAX),
      printable(reason, TEXT_LENGTH_MAX),
    ]),
  );
}

export function differencesText(differences: readonly Difference[]): string {
  return differences
    .map(({ path, before, after }) => {
      const name = printable(pathText(path), TEXT_LENGTH_MAX);
      const lines = [
        ...(before === undefined ? [] : [colors.red(`  - ${shown(before)}`)]),
        ...(after === undefined ? [] : [colors.green(`  + ${shown(after)}`)]),
      ];
      return [name, ...lines].join('\n');
    })
    .join('\n');
}

export function tokensText(tokens: readonly Token[]): string {
  return tableText(
    ['ID', 'NAME', 'SCOPE', 'APPLICATIONS', 'CREATED', 'EXPIRES'],
    tokens.map((token) => [
      String(token.id),
      printable(token.name, NAME_LENGTH_MAX),
      token.scope,
      token.applications === 'all' ? 'all' : printable(token.applications.join(', '), NAME_LENGTH_MAX),
      minute(token.created_at),
      token.expires_at === null ? 'never' : minute(token.expires_at),
    ]),
  );
}

export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: head.map((title) => colors.bold(title)),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** `/settings/codes/-1` → `settings.codes.-1`, as in arguments. */
function pathText(pointer: string): string {
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.');
}

/** Members that are no objects, by their path. Lists are one value. */
function leaves(value: object, prefix = ''): [path: string, value: unknown][] {
  return Object.entries(value).flatMap(([name, one]: [string, unknown]) => {
    const path = `${prefix}${name}`;
    const isNested = typeof one === 'object' && one !== null && !Array.isArray(one);
    return isNested && Object.keys(one).length > 0
      ? leaves(one, `${path}.`)
      : [[path, one] as [string, unknown]];
  });
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return printable(text === '' ? '""' : (text ?? ''), TEXT_LENGTH_MAX);
}

function twoColumns(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([name = '']) => name.length));
  return rows.map(([name = '', value = '']) => `${colors.dim(name.padEnd(width))}  ${value}`).join('\n');
}

function statusText(status: Application['status']): string {
  if (status === 'active') return status;
  return status === 'suspended' ? colors.yellow(status) : colors.red(status);
}

/** `2026-11-29 06:14`, UTC */
export function minute(time: string): string {
  return printable(time.slice(0, 16).replace('T', ' '), 16);
}
