/*
 * The stack that `./scripts/start` runs on this machine: where it answers and which settings its services have. Found
 * beside the repository's own files, so from any folder. What the environment says comes first: where it names a store
 * or brokers, nothing of the local stack is used, so that its password never goes elsewhere and no command works on
 * the store of one stack and the Kafka of another.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorMessage } from '@imscope/runtime/error-message.js';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { parseJson } from './http-answer.js';
import type { ServiceName } from './service-command.js';
import { UsageError } from './usage-error.js';

/** Written by ./scripts/start, readable by its owner only: `secrets.json` and `stack.json`. */
export const LOCAL_CREDENTIALS_DIR = fileURLToPath(
  new URL('../../../.imscope/data/credentials', import.meta.url),
);

type Environment = Readonly<Record<string, string | undefined>>;

const Settings = Type.Record(Type.String(), Type.String());
/** Of scripts/stack/local-stack.ts. */
const StackFile = Type.Object({
  collectorUrl: Type.String(),
  queryUrl: Type.String(),
  services: Type.Record(Type.String(), Settings),
});
/** Of scripts/stack/credentials.ts. */
const SecretsFile = Type.Object({ storePassword: Type.String(), sessionKey: Type.String() });

export type LocalStack = Static<typeof StackFile>;

/** The ports of a stack whose ports nobody chose. */
const DEFAULTS = { collectorUrl: 'http://127.0.0.1:8088', queryUrl: 'http://127.0.0.1:8080' };
/** Which secrets a service has, and by which name. */
const SECRETS: Readonly<Record<ServiceName, readonly ('STORE_PASSWORD' | 'SESSION_KEY')[]>> = {
  aggregator: ['STORE_PASSWORD'],
  collector: [],
  query: ['STORE_PASSWORD', 'SESSION_KEY'],
  store: ['STORE_PASSWORD'],
};
/** Settings that say which stack is meant. */
const ADDRESSES = ['STORE_URL', 'KAFKA_BROKERS'] as const;

/** Undefined where none was started here. Throws UsageError where its files do not hold together. */
export function readLocalStack(directory = LOCAL_CREDENTIALS_DIR): LocalStack | undefined {
  const file = join(directory, 'stack.json');
  if (!existsSync(file)) return undefined;
  return readFile(file, StackFile);
}

/** Where the local stack's collector or query service answers, or would by default. */
export function localUrl(which: keyof typeof DEFAULTS, directory = LOCAL_CREDENTIALS_DIR): string {
  try {
    return readLocalStack(directory)?.[which] ?? DEFAULTS[which];
  } catch (error) {
    // Commands that name their addresses must not fail for it.
    if (error instanceof UsageError) return DEFAULTS[which];
    throw error;
  }
}

export type ServiceEnvironment = {
  /** What the service is run with. */
  readonly environment: Environment;
  /** Settings that come from the local stack; empty where it is not used. */
  readonly local: readonly string[];
  /** The environment names no stack, and none was started here. */
  readonly isNothingKnown: boolean;
};

/** The environment of a service's command: what is given, and of the local stack what is not. */
export function serviceEnvironment(
  service: ServiceName,
  environment: Environment,
  directory = LOCAL_CREDENTIALS_DIR,
): ServiceEnvironment {
  const stack = readLocalStack(directory);
  const isGiven = (name: string): boolean => (environment[name] ?? '') !== '';
  if (stack === undefined) {
    return { environment, local: [], isNothingKnown: !ADDRESSES.some(isGiven) };
  }
  const settings = stack.services[service] ?? {};
  const isElsewhere = ADDRESSES.some((name) => isGiven(name) && environment[name] !== settings[name]);
  if (isElsewhere) return { environment, local: [], isNothingKnown: false };
  const all = { ...settings, ...secretsOf(service, directory) };
  const local = Object.keys(all).filter((name) => !isGiven(name));
  const filled = Object.fromEntries(Object.entries(all).filter(([name]) => local.includes(name)));
  return { environment: { ...environment, ...filled }, local, isNothingKnown: false };
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
  // The content is not shown, because it may hold secrets.
  throw new UsageError(`${file} does not hold together: start the local stack again with ./scripts/start`);
}
