/*
 * The lifecycle of a service process: settings, logger, admin server, start, signals, stop. Only this file and the
 * service's main.ts touch the process. The stop runs once; a second signal ends the process at once.
 */
import {
  type Config,
  type Settings,
  choice,
  describeConfig,
  integer,
  loadConfig,
  settingsAreWrong,
  text,
} from './config.js';
import { runCheck } from './check-config.js';
import { readCommandLine, type ServiceCommands } from './command-line.js';
import { startAdminServer } from './admin-server.js';
import { type Logger, createLogger } from './logger.js';
import { createRegistry } from './metrics.js';
import { type Readiness, createReadiness } from './readiness.js';
import { SettingsError } from './settings-error.js';
import { hostAddress, type Probe } from './setting-probes.js';
import type { Registry } from 'prom-client';

/** Settings every service has. */
export const SERVICE_SETTINGS = {
  adminHost: text({ default: '127.0.0.1', purpose: 'address of /live, /ready and /metrics' }),
  adminPort: integer({
    default: 0,
    min: 0,
    max: 65_535,
    purpose: 'port of the admin server; 0 chooses a free one',
  }),
  logLevel: choice({
    default: 'info',
    values: ['debug', 'info', 'warn', 'error'],
    purpose: 'lowest level that is logged',
  }),
} satisfies Settings;

export type Running = { stop(): Promise<void> };

export type ServiceContext<S extends Settings> = {
  readonly config: Config<S>;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly readiness: Readiness;
  /**
   * Ends the process with code 1 after an error it cannot recover from, so that its supervisor starts it again. For a
   * `SettingsError` the code is 2, because another start would fail the same way.
   */
  readonly fail: (error: Error) => void;
};

export type ServiceDefinition<S extends Settings> = {
  readonly name: string;
  readonly settings: S;
  /** Faults of combinations of settings, given those that could be read. Called again for each check. */
  readonly check?: (settings: Partial<Config<S>>) => readonly string[];
  /** Dependencies that must report before the service is ready. */
  readonly dependencies: readonly string[];
  /** Checks of files and addresses that settings name, for the command `check`. */
  readonly probes?: readonly Probe<Config<S> & Config<typeof SERVICE_SETTINGS>>[];
  /** Commands of this service besides `check`: `main.js NAME …` runs one and ends. */
  readonly commands?: ServiceCommands;
  readonly start: (context: ServiceContext<S>) => Promise<Running>;
};

/** Longest duration of a stop; after it the process ends with code 1. */
const STOP_TIMEOUT_MS = 25_000;

/**
 * Runs a service until SIGTERM or SIGINT, then stops it. Exit codes: 0 success, 1 failure, 2 wrong settings or
 * arguments. `--check-config` prints the settings in force and ends. `check` and the service's own commands run and
 * end. Other arguments are refused.
 */
export async function runService<S extends Settings>(
  definition: ServiceDefinition<S>,
  process: NodeJS.Process,
): Promise<void> {
  const commands = { check: (args: readonly string[]) => checkService(definition, args, process) };
  const line = readCommandLine(definition.name, process.argv.slice(2), {
    ...commands,
    ...definition.commands,
  });
  if (line.kind === 'refused') {
    process.stderr.write(`${line.message}\n`);
    process.exitCode = 2;
    return;
  }
  if (line.kind === 'command') {
    process.exitCode = await line.command(line.args);
    return;
  }
  const common = loadConfig(SERVICE_SETTINGS, process.env);
  const own = loadConfig(definition.settings, process.env);
  const combined = definition.check?.(own.ok ? own.config : own.read) ?? [];
  if (!common.ok || !own.ok || combined.length > 0) {
    const errors = [common, own].flatMap((loaded) => (loaded.ok ? [] : loaded.errors)).concat(combined);
    process.stderr.write(settingsAreWrong(definition.name, errors));
    process.exitCode = 2;
    return;
  }
  if (line.kind === 'show_config') {
    const lines = [
      ...describeConfig(SERVICE_SETTINGS, common.config),
      ...describeConfig(definition.settings, own.config),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    return;
  }
  const { adminHost, adminPort, logLevel } = common.config;
  const logger = createLogger(definition.name, logLevel);
  const registry = createRegistry(definition.name);
  const readiness = createReadiness(definition.dependencies);
  const ending = endingOnce(definition.name, logger, process);
  try {
    const admin = await startAdminServer({ host: adminHost, port: adminPort, registry, readiness, logger });
    const context: ServiceContext<S> = { config: own.config, logger, registry, readiness, fail: ending.fail };
    const running = await definition.start(context);
    ending.arm(async () => {
      readiness.stopping();
      await running.stop();
      await admin.stop();
    });
    logger.info({ adminPort: admin.port }, 'started');
  } catch (error) {
    ending.fail(error instanceof Error ? error : new Error(String(error)));
  }
}

function checkService<S extends Settings>(
  { name, settings, check, probes = [] }: ServiceDefinition<S>,
  args: readonly string[],
  process: NodeJS.Process,
): number {
  const common = hostAddress<Config<typeof SERVICE_SETTINGS>>('adminHost');
  return runCheck<Config<S> & Config<typeof SERVICE_SETTINGS>>(
    {
      service: name,
      settings: { ...settings, ...SERVICE_SETTINGS },
      probes: [common, ...probes],
      checkCombined: check,
    },
    args,
    process,
  );
}

/** Ends the process on signals and fatal errors. The first of them decides the exit code; the stop runs once. */
function endingOnce(
  name: string,
  logger: Logger,
  process: NodeJS.Process,
): { arm: (stop: () => Promise<void>) => void; fail: (error: Error) => void } {
  let stop: (() => Promise<void>) | undefined;
  let ending = false;
  const end = (code: number): void => {
    if (ending) {
      process.exit(1);
    }
    ending = true;
    const timer = setTimeout(() => {
      logger.error({ stopTimeoutMs: STOP_TIMEOUT_MS }, 'stop took too long');
      process.exit(1);
    }, STOP_TIMEOUT_MS);
    timer.unref();
    const finish = async (): Promise<void> => {
      try {
        await stop?.();
        logger.info({ code }, 'stopped');
        process.exit(code);
      } catch (error) {
        logger.error({ err: error }, 'stop failed');
        process.exit(1);
      }
    };
    void finish();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(0));
  const fail = (error: Error): void => {
    logger.fatal({ err: error }, error.message);
    const code = error instanceof SettingsError ? 2 : 1;
    if (error instanceof SettingsError) process.stderr.write(settingsAreWrong(name, error.faults));
    process.exitCode = code;
    if (!ending) end(code);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', (reason) =>
    fail(reason instanceof Error ? reason : new Error(String(reason))),
  );
  return { arm: (stopping) => (stop = stopping), fail };
}
