/*
 * The command `main.js check`: checks a service's settings without starting it. It reports each setting with its
 * value and source, all faults at once, and misspelt names with the nearest known one.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { errorMessage } from './error-message.js';
import { type CheckedSetting, type CheckReport, countFaults, describeCheck } from './check-report.js';
import { type Environment, environmentName, loadConfig, type Setting, type Settings } from './config.js';
import { parseEnvFile } from './env-file.js';
import type { Probe, SettingFault } from './setting-probes.js';
import { knownNames, nearestSetting, unknownVariables } from './unknown-settings.js';

/** `C` is the type of the parsed settings. */
type Checkable<C> = {
  readonly service: string;
  readonly settings: Settings;
  readonly probes: readonly Probe<C>[];
  /** Faults of combinations of settings, given those that could be read. */
  readonly checkCombined?: ((settings: Partial<C>) => readonly string[]) | undefined;
};

/** @returns the exit code: 0 without faults, 2 with faults or wrong options */
export function runCheck<C>(
  checkable: Checkable<C>,
  args: readonly string[],
  process: NodeJS.Process,
): number {
  let options: {
    'env-file'?: string | undefined;
    json?: boolean | undefined;
    'local-stack'?: string | undefined;
  };
  let file: ReturnType<typeof parseEnvFile> | undefined;
  try {
    options = parseArgs({
      args: [...args],
      options: {
        'env-file': { type: 'string' },
        json: { type: 'boolean' },
        'local-stack': { type: 'string' },
      },
    }).values;
    const path = options['env-file'];
    file = path === undefined ? undefined : parseEnvFile(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = errorMessage(error);
    process.stderr.write(`${checkable.service}: check: ${why}\n`);
    return 2;
  }
  const report = checkSettings(checkable, file?.environment ?? process.env, {
    file: options['env-file'],
    faults: file?.faults ?? [],
    localStack: options['local-stack']?.split(',') ?? [],
  });
  const { stdout, env } = process;
  const style = {
    colours: stdout.isTTY && (env['NO_COLOR'] ?? '') === '',
    columns: stdout.isTTY ? stdout.columns : Number.POSITIVE_INFINITY,
  };
  stdout.write(options.json === true ? `${JSON.stringify(report)}\n` : describeCheck(report, style));
  return countFaults(report) === 0 ? 0 : 2;
}

/**
 * @param read the file the environment was read from, with faults of its lines; `localStack` names the variables that
 * the caller took from the stack on this machine
 */
export function checkSettings<C>(
  { service, settings, probes, checkCombined }: Checkable<C>,
  environment: Environment,
  read: {
    readonly file: string | undefined;
    readonly faults: readonly string[];
    readonly localStack?: readonly string[];
  },
): CheckReport {
  const sourceOf = (variable: string): CheckedSetting['from'] => {
    if (read.localStack?.includes(variable) === true) return 'local stack';
    return read.file === undefined ? 'environment' : 'file';
  };
  // Each setting is parsed separately, so that the others keep their values when one is wrong.
  const values = new Map<string, unknown>();
  const faults: SettingFault[] = [];
  for (const [name, setting] of Object.entries(settings)) {
    const loaded = loadConfig({ [name]: setting }, environment);
    if (loaded.ok) values.set(name, loaded.config[name]);
    else faults.push(...loaded.errors.map((message) => ({ setting: name, message })));
  }
  const config = Object.fromEntries(values) as C;
  for (const { needs, check } of probes) {
    if (needs.every((name) => values.has(name))) faults.push(...check(config));
  }
  const checked = Object.entries(settings).map(([name, setting]): CheckedSetting => {
    const variable = environmentName(name);
    const given = (environment[variable] ?? '') !== '';
    return {
      name: variable,
      value: shown(setting, values.has(name), values.get(name), environment[variable] ?? ''),
      from: given ? sourceOf(variable) : values.has(name) ? 'default' : 'missing',
      purpose: setting.purpose,
      faults: faults.filter((fault) => fault.setting === name).map(({ message }) => message),
    };
  });
  const { misspelt, notices } = unknown(settings, environment, read.file !== undefined);
  const ofFile = read.faults.map((fault) => `${read.file}: ${fault}`);
  const all = [...ofFile, ...misspelt, ...(checkCombined?.(config) ?? [])];
  return { service, env_file: read.file, settings: checked, faults: all, notices };
}

function shown(setting: Setting<unknown>, isRead: boolean, value: unknown, given: string): string {
  if (setting.secret) return (isRead ? value : given) === '' ? 'not set' : 'set, hidden';
  if (!isRead) return given;
  // An empty list is an empty text.
  const text = String(value);
  return text === '' ? 'not set' : text;
}

/** In a file, every unknown variable is reported; in the environment of a process only those similar to a setting. */
function unknown(
  settings: Settings,
  environment: Environment,
  isFile: boolean,
): { misspelt: string[]; notices: string[] } {
  const known = knownNames(settings);
  const misspelt: string[] = [];
  const notices: string[] = [];
  for (const variable of unknownVariables(environment, known)) {
    const nearest = nearestSetting(variable, known);
    if (nearest !== undefined) misspelt.push(`${variable} is no setting: did you mean ${nearest}?`);
    else if (isFile) notices.push(`${variable} is no setting of this service: it is not read`);
  }
  return { misspelt, notices };
}
