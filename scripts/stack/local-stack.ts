/*
 * Saves the addresses of the local stack and the settings of its services for the `imscope` command
 * (services/cli/src/command/local-stack.ts). The file is beside secrets.json and holds no secret itself.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Credentials } from './credentials.js';
import type { ServiceName } from './services.js';

export type LocalStack = {
  readonly collectorUrl: string;
  readonly queryUrl: string;
  /** Left out: the stack has no registry. */
  readonly registryUrl?: string;
  /** By service: settings by their names in the environment. */
  readonly services: Readonly<Partial<Record<ServiceName, Readonly<Record<string, string>>>>>;
};

export function writeLocalStack(
  { secretsFile, ...credentials }: Credentials,
  { services, ...addresses }: LocalStack,
): void {
  const secrets = new Set<string>(Object.values(credentials));
  secrets.delete(credentials.registryFile);
  secrets.delete(credentials.masterKeyFile);
  const withoutSecrets = Object.entries(services).map(([name, settings]) => [
    name,
    Object.fromEntries(Object.entries(settings).filter(([, value]) => !secrets.has(value))),
  ]);
  const content = { ...addresses, services: Object.fromEntries(withoutSecrets) };
  const file = join(dirname(secretsFile), 'stack.json');
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
}
