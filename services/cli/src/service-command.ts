/*
 * Runs a maintenance command of a service as a child process with the same streams and signals, and returns its exit
 * code. Secrets are passed in the environment, never on a command line. The CLI imports no code of a service.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { serviceEnvironment } from './command/local-stack.js';
import type { ServiceName } from './command/service-name.js';
import type { Terminal } from './command/terminal.js';
import { UsageError } from './command/usage-error.js';

/**
 * Runs a command that needs the store and Kafka. Settings come from the environment, or else from the local stack; a
 * line on stderr says so.
 * @throws UsageError where the service is not built
 */
export async function runStackCommand(
  service: ServiceName,
  args: readonly string[],
  terminal: Pick<Terminal, 'environment' | 'stderr'>,
): Promise<number> {
  const { environment, local, isUnconfigured } = serviceEnvironment(service, terminal.environment);
  if (isUnconfigured) {
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
  // The child is in our process group, so Ctrl-C reaches it directly.
  const [code, signal]: unknown[] = await once(child, 'exit');
  if (typeof code === 'number') return code;
  stderr.write(`${args[0] ?? service} was ended by ${String(signal)}\n`);
  return 1;
}
