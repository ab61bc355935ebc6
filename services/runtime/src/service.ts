/*
 * The lifecycle of a service process: settings, logger, admin server, start, signals, stop. Only this and the
 * service's main.ts touch the process. Stop is asked once; a second signal ends at once.
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
import { startAdminServer } from './admin-server.js';
import { type Logger, createLogger } from './logger.js';
import { createRegistry } from './metrics.js';
import { type Readiness, createReadiness } from './readiness.js';
import { hostAddress, type Probe } from './setting-probes.js';
import type { Registry } from 'prom-client';

/** Settings every service has. */
export const SERVICE_SETTINGS = {
  adminHost: text({ default: '127.0.0.1', purpose: 'address of /live, /ready and /metrics' }),
  adminPort: integer({
    default: 0,
    min: 0,
    max: 65_535,
    purpose: 'port of the admin server; 0 takes a free one',
  }),
  logLevel: choice({
    default: 'info',
    of: ['debug', 'info', 'warn', 'error'],
    purpose: 'least level that is logged',
  }),
} satisfies Settings;

export type Running = { stop(): Promise<void> };

export type ServiceContext<S extends Settings> = {
  readonly config: Config<S>;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly readiness: Readiness;
  /** Ends the process with code 1, for its supervisor to start it anew: for what cannot be mended inside. */
  readonly fail: (error: Error) => void;
};

export type ServiceDefinition<S extends Settings> = {
  readonly name: string;
  readonly settings: S;
  /** What is wrong with settings beside each other, of those that could be read; read again at every call. */
  readonly check?: (settings: Partial<Config<S>>) => readonly string[];
  /** Names that must report before `/ready` says yes. */
  readonly dependencies: readonly string[];
  /** What `check` looks at beside the settings themselves. */
  readonly probes?: readonly Probe<Config<S> & Config<typeof SERVICE_SETTINGS>>[];
  readonly start: (context: ServiceContext<S>) => Promise<Running>;
};

/** Longest a stop may take before the process ends all the same, with code 1. */
const STOP_TIMEOUT_MS = 25_000;

/**
 * Runs a service until SIGTERM or SIGINT, then stops it. Exit codes: 0 clean, 1 failed, 2 bad settings.
 * `--check-config` prints the settings in force and ends; `check` looks at them and at what they name, and ends.
 */
export async function runService<S extends Settings>(
  definition: ServiceDefinition<S>,
  process: NodeJS.Process,
): Promise<void> {
  if (process.argv[2] === 'check') {
    process.exitCode = checkService(definition, process);
    return;
  }
  const common = loadConfig(SERVICE_SETTINGS, process.env);
  const own = loadConfig(definition.settings, process.env);
  const together = definition.check?.(own.ok ? own.config : own.read) ?? [];
  if (!common.ok || !own.ok || together.length > 0) {
    const errors = [common, own].flatMap((loaded) => (loaded.ok ? [] : loaded.errors)).concat(together);
    process.stderr.write(settingsAreWrong(definition.name, errors));
    process.exitCode = 2;
    return;
  }
  if (process.argv.includes('--check-config')) {
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
  const ending = endingOnce(logger, process);
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
  process: NodeJS.Process,
): number {
  const common = hostAddress<Config<typeof SERVICE_SETTINGS>>('adminHost');
  return runCheck<Config<S> & Config<typeof SERVICE_SETTINGS>>(
    {
      service: name,
      settings: { ...settings, ...SERVICE_SETTINGS },
      probes: [common, ...probes],
      together: check,
    },
    process.argv.slice(3),
    process,
  );
}

/** Signals and fatal errors lead here; whatever comes first decides, the stop itself runs once. */
function endingOnce(
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
    process.exitCode = 1;
    if (!ending) end(1);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', (reason) =>
    fail(reason instanceof Error ? reason : new Error(String(reason))),
  );
  return { arm: (stopping) => (stop = stopping), fail };
}
