/*
 * The stack that `./scripts/start` runs on this machine: its addresses and the settings of its services. Its files
 * are in the checkout, so they are found from any folder. Settings of the environment have precedence. If the
 * environment names another store or other brokers, the local stack is not used: its password must not be sent
 * elsewhere, and no command may use the store of one stack and the Kafka of another.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorMessage } from '@imscope/runtime/error-message.js';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { parseJson } from './http-answer.js';
import type { ServiceName } from './service-name.js';
import { UsageError } from './usage-error.js';

/** Written by ./scripts/start, readable by its owner only: `secrets.json` and `stack.json`. */
export const LOCAL_CREDENTIALS_DIR = fileURLToPath(
  new URL('../../../../.imscope/data/credentials', import.meta.url),
);

type Environment = Readonly<Record<string, string | undefined>>;

const Settings = Type.Record(Type.String(), Type.String());
/** As written by scripts/stack/local-stack.ts. */
const StackFile = Type.Object({
  collectorUrl: Type.String(),
  queryUrl: Type.String(),
  /** Stacks of earlier versions have no registry. */
  registryUrl: Type.Optional(Type.String()),
  services: Type.Record(Type.String(), Settings),
});
/** As written by scripts/stack/credentials.ts. */
const SecretsFile = Type.Object({ storePassword: Type.String(), sessionKey: Type.String() });

export type LocalStack = Static<typeof StackFile>;

/** Addresses of a stack with default ports. */
const DEFAULTS = {
  collectorUrl: 'http://127.0.0.1:8088',
  queryUrl: 'http://127.0.0.1:8080',
  registryUrl: 'http://127.0.0.1:8090',
};
/** The secrets of each service, by the name of their setting. */
const SECRETS: Readonly<Record<ServiceName, readonly ('STORE_PASSWORD' | 'SESSION_KEY')[]>> = {
  aggregator: ['STORE_PASSWORD'],
  collector: [],
  query: ['STORE_PASSWORD', 'SESSION_KEY'],
  registry: ['STORE_PASSWORD', 'SESSION_KEY'],
  store: ['STORE_PASSWORD'],
};
/** Settings that identify a stack. */
const ADDRESSES = ['STORE_URL', 'KAFKA_BROKERS'] as const;

/** Undefined where no stack was started here. Throws UsageError where its file is malformed. */
export function readLocalStack(directory = LOCAL_CREDENTIALS_DIR): LocalStack | undefined {
  const file = join(directory, 'stack.json');
  if (!existsSync(file)) return undefined;
  return readFile(file, StackFile);
}

/** The address of one of the local stack's services, or its default address. */
export function localUrl(which: keyof typeof DEFAULTS, directory = LOCAL_CREDENTIALS_DIR): string {
  try {
    return readLocalStack(directory)?.[which] ?? DEFAULTS[which];
  } catch (error) {
    // This is only a default: a command with an explicit address must not fail here.
    if (error instanceof UsageError) return DEFAULTS[which];
    throw error;
  }
}

export type ServiceEnvironment = {
  /** The environment of the service's process. */
  readonly environment: Environment;
  /** Names of settings taken from the local stack; empty where it is not used. */
  readonly local: readonly string[];
  /** The environment names no stack, and no local one exists. */
  readonly isUnconfigured: boolean;
};

/** The environment of a service's command, completed with settings of the local stack. */
export function serviceEnvironment(
  service: ServiceName,
  environment: Environment,
  directory = LOCAL_CREDENTIALS_DIR,
): ServiceEnvironment {
  const stack = readLocalStack(directory);
  const isGiven = (name: string): boolean => (environment[name] ?? '') !== '';
  if (stack === undefined) {
    return { environment, local: [], isUnconfigured: !ADDRESSES.some(isGiven) };
  }
  const settings = stack.services[service] ?? {};
  const isElsewhere = ADDRESSES.some((name) => isGiven(name) && environment[name] !== settings[name]);
  if (isElsewhere) return { environment, local: [], isUnconfigured: false };
  const all = { ...settings, ...secretsOf(service, directory) };
  const local = Object.keys(all).filter((name) => !isGiven(name));
  const filled = Object.fromEntries(Object.entries(all).filter(([name]) => local.includes(name)));
  return { environment: { ...environment, ...filled }, local, isUnconfigured: false };
}

function secretsOf(service: ServiceName, directory: string): Record<string, string> {
  const names = SECRETS[service];
  if (names.length === 0) return {};
  const { storePassword, sessionKey } = readFile(join(directory, 'secrets.json'), SecretsFile);
  const values = { STORE_PASSWORD: storePassword, SESSION_KEY: sessionKey };
  return Object.fromEntries(names.map((name) => [name, values[name]]));
}

function readFile<T extends typeof StackFile | typeof SecretsFile>(file: string, shape: T): Static<T> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const why = errorMessage(error);
    throw new UsageError(`cannot read ${file} of the local stack: ${why}`, { cause: error });
  }
  const parsed = parseJson(text);
  if (Value.Check(shape, parsed)) return parsed;
  // The message does not show the content: it may hold secrets.
  throw new UsageError(`${file} is malformed: start the local stack again with ./scripts/start`);
}
