/*
 * Replaces a method inside kafkajs. Each patch of this folder depends on the internals of one version, so it checks the
 * version and the method first, and fails at start where they are not what the patch was written for.
 */
import { createRequire } from 'node:module';

/** Every package.json that has kafkajs pins this version. */
export const KAFKAJS_VERSION = '2.2.4';

/** Loads a module of kafkajs by its path in the package. */
export type LoadModule = (path: string) => unknown;

export type PatchedMethod = {
  /** Path of the module in the package `kafkajs`. */
  readonly module: string;
  /** The object that has the method: the module's export itself, or the prototype of the class it exports. */
  readonly on: 'prototype' | 'exports';
  readonly method: string;
  readonly parameters: number;
  /** Names in the method's source that the patch depends on. */
  readonly mentions: readonly string[];
};

// Any function: what a method takes and returns is stated by the patch that replaces it.
type Method = (this: never, ...values: never[]) => unknown;

const loadKafkajs: LoadModule = (path) => createRequire(import.meta.url)(`kafkajs/${path}`);
const replaced = new WeakSet<object>();

/**
 * Does nothing where the method is replaced already: patches hold for the whole process.
 * @param replacement makes the new method from the original one
 * @param load for tests
 * @throws where kafkajs is another version or the method has another shape
 */
export function patchMethod<M extends Method>(
  target: PatchedMethod,
  replacement: (original: M) => M,
  load: LoadModule = loadKafkajs,
): void {
  const { module, on, method } = target;
  checkVersion(load, module);
  const exported = load(module);
  const owner = on === 'exports' ? exported : propertyOf(exported, 'prototype');
  const found = propertyOf(owner, method);
  if (typeof found === 'function' && replaced.has(found)) return;
  const fault = faultOf(target, found);
  if (fault !== undefined)
    throw new Error(`${module} of kafkajs does not fit its patch: ${fault}. ${ADVICE}`);
  const patched = replacement(found as M);
  replaced.add(patched);
  Object.assign(owner as object, { [method]: patched });
}

const ADVICE = `Pin kafkajs to ${KAFKAJS_VERSION}, or revise services/runtime/src/kafkajs`;

function checkVersion(load: LoadModule, module: string): void {
  const version = propertyOf(load('package.json'), 'version');
  if (version === KAFKAJS_VERSION) return;
  throw new Error(
    `${module} of kafkajs is patched for version ${KAFKAJS_VERSION}, and ${String(version)} is installed. ${ADVICE}`,
  );
}

function faultOf({ method, parameters, mentions }: PatchedMethod, found: unknown): string | undefined {
  if (typeof found !== 'function') return `it has no method ${method}`;
  if (found.length !== parameters)
    return `${method} takes ${found.length} parameters instead of ${parameters}`;
  const source = Function.prototype.toString.call(found);
  const missing = mentions.filter((name) => !source.includes(name));
  return missing.length === 0 ? undefined : `${method} does not use ${missing.join(', ')}`;
}

function propertyOf(value: unknown, name: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
