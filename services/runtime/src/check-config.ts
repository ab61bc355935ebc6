/*
 * `main.js check`: a service's settings looked at before a start, without starting anything. Each setting with what is in
 * force and where it comes from; whatever is wrong, all at once; misspelt names with the one that was meant.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { errorMessage } from './error-message.js';
import { type CheckedSetting, type CheckReport, countFaults, describeCheck } from './check-report.js';
import { type Environment, environmentName, loadConfig, type Setting, type Settings } from './config.js';
import { parseEnvFile } from './env-file.js';
import type { Probe, SettingFault } from './setting-probes.js';
import { knownNames, nearestSetting, unknownVariables } from './unknown-settings.js';

/** `C` is what the settings come to. */
type Checkable<C> = {
  readonly service: string;
  readonly settings: Settings;
  readonly probes: readonly Probe<C>[];
  /** What is wrong with settings beside each other, of those that could be read. */
  readonly together?: ((settings: Partial<C>) => readonly string[]) | undefined;
};

/** Exit codes: 0 nothing is wrong, 2 something is, or it cannot be told. */
export function runCheck<C>(of: Checkable<C>, args: readonly string[], process: NodeJS.Process): number {
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
    process.stderr.write(`${of.service}: check: ${why}\n`);
    return 2;
  }
  const report = checkSettings(of, file?.environment ?? process.env, {
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
 * @param read the file the environment is of, and what is wrong with its lines; `localStack`: variables that whoever
 * called took from the stack on this machine
 */
export function checkSettings<C>(
  { service, settings, probes, together }: Checkable<C>,
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
  // Each by itself, so that one that is wrong leaves the others their values.
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
  const all = [...ofFile, ...misspelt, ...(together?.(config) ?? [])];
  return { service, env_file: read.file, settings: checked, faults: all, notices };
}

function shown(setting: Setting<unknown>, isRead: boolean, value: unknown, given: string): string {
  if (setting.secret) return (isRead ? value : given) === '' ? 'not set' : 'set, hidden';
  if (!isRead) return given;
  // An empty list is empty as text.
  const text = String(value);
  return text === '' ? 'not set' : text;
}

/** Whatever else stands in a file of settings is told; in a process's environment only what is near to a setting. */
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
