/*
 * Runs a service's own maintenance command as a child, with our streams and signals; its exit code is ours. Its
 * settings are those of the environment, and where that names no stack those of the local one; secrets go through the
 * environment, never over a command line. A service's code is never imported here.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serviceEnvironment } from './local-stack.js';
import type { Terminal } from './terminal.js';
import { UsageError } from './usage-error.js';

export type ServiceName = 'aggregator' | 'collector' | 'query' | 'store';

/**
 * A command that works on the store and on Kafka. Says on stderr where the settings come from, if not from the
 * environment.
 * @throws UsageError where the service is not built
 */
export async function runStackCommand(
  service: ServiceName,
  args: readonly string[],
  terminal: Pick<Terminal, 'environment' | 'stderr'>,
): Promise<number> {
  const { environment, local, isNothingKnown } = serviceEnvironment(service, terminal.environment);
  if (isNothingKnown) {
    terminal.stderr.write(
      'imscope: the environment names no store and no Kafka, and no local stack was started here: trying the default addresses. Set STORE_URL, STORE_PASSWORD and KAFKA_BROKERS, or run ./scripts/start\n',
    );
  } else if (local.length > 0) {
    const { STORE_URL: store = 'default', KAFKA_BROKERS: kafka = 'default' } = environment;
    terminal.stderr.write(`imscope: local stack of ./scripts/start, store ${store}, Kafka ${kafka}\n`);
  }
  return runServiceCommand(service, args, environment, terminal.stderr);
}

/** @throws UsageError where the service is not built */
export async function runServiceCommand(
  service: ServiceName,
  args: readonly string[],
  environment: Terminal['environment'],
  stderr: Terminal['stderr'],
): Promise<number> {
  const main = fileURLToPath(new URL(`../../${service}/dist/main.js`, import.meta.url));
  if (!existsSync(main)) {
    throw new UsageError(`the ${service} is not built yet: run "npm run build" in the repository first`);
  }
  const child = spawn(process.execPath, [main, ...args], { stdio: 'inherit', env: environment });
  // Ctrl-C reaches the child by itself, for it is in our process group.
  const [code, signal]: unknown[] = await once(child, 'exit');
  if (typeof code === 'number') return code;
  stderr.write(`${args[0] ?? service} was ended by ${String(signal)}\n`);
  return 1;
}
