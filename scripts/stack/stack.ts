/*
 * The one way to start a system of ours on loopback: broker, store, tables and topics, services, each optional, as
 * child processes in one directory. Sinks are started first; everything is stopped in reverse order, also when a
 * later start fails.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Broker, startBroker } from './broker.js';
import { type Credentials, openCredentials } from './credentials.js';
import { freePort } from './ports.js';
import type { ManagedProcess, OnSpawn } from './process.js';
import {
  aggregatorEnv,
  collectorEnv,
  type Env,
  type KafkaAddress,
  kafkaEnv,
  queryEnv,
  registryEnv,
  type StoreAddress,
  storeServiceEnv,
} from './service-env.js';
import {
  type RunningService,
  runServiceCommand,
  type ServiceMode,
  type ServiceName,
  startService,
} from './services.js';
import { type RunningStore, startStore } from './store.js';
import { supervise, type Supervised, type SupervisorEvent } from './supervisor.js';

export type StackOptions = {
  /** What the stack is for: part of the name of its temporary directory. */
  readonly name: string;
  readonly mode: ServiceMode;
  /** Holds data, logs and credentials, and is kept. Left out: a temporary one, removed at the end. */
  readonly directory?: string;
  /** host:port of a broker that runs already; `startBroker` starts one. */
  readonly broker?: string;
  readonly topicPrefix?: string;
  /** A store that runs already; `startStore` starts one. */
  readonly store?: StoreAddress;
  /** Called for every process as soon as it runs, long before it is ready. */
  readonly onSpawn?: OnSpawn;
  /** Given: every part that ends is restarted, and this is called. Left out: it stays ended. */
  readonly onSupervisorEvent?: (event: SupervisorEvent) => void;
};

/** Which build of a service is started; this checkout in the stack's mode where left out. */
export type Release = { readonly mode: ServiceMode; readonly root?: string };

export type ServiceOptions = {
  /** Unique in the stack; the service's own name where left out. Names its log file and spool. */
  readonly name?: string;
  /** Beside the usual settings, or in place of them. */
  readonly env?: Env;
  /** Where it listens; a free one where left out. */
  readonly port?: number;
  readonly release?: Release;
};

export type ListeningService = RunningService & { readonly port: number; readonly url: string };

type Part = {
  readonly env: Env;
  /** Starts it on its ports and data; resolves when it is ready. */
  readonly start: () => Promise<ManagedProcess>;
  /** The process started last, ready or not. */
  process: ManagedProcess | undefined;
  supervised: Supervised<ManagedProcess> | undefined;
};

type Ending = { readonly name: string; readonly stop: () => Promise<unknown> };

export const BROKER_PART = 'kafka';

export class Stack {
  readonly directory: string;
  readonly #options: StackOptions;
  readonly #parts = new Map<string, Part>();
  /** In the order of their start. */
  readonly #endings: Ending[] = [];
  #broker: string | undefined;
  #store: StoreAddress | undefined;
  #credentials: Credentials | undefined;
  #ended = false;

  constructor(options: StackOptions) {
    this.#options = options;
    this.directory = options.directory ?? mkdtempSync(join(tmpdir(), `imscope-${options.name}-`));
    this.#broker = options.broker;
    this.#store = options.store;
  }

  /** Tokens and passwords, made at the first use. */
  get credentials(): Credentials {
    this.#credentials ??= openCredentials(join(this.directory, 'credentials'));
    return this.#credentials;
  }

  async startBroker(options: { readonly heapMb?: number; readonly port?: number } = {}): Promise<Broker> {
    let broker: Broker | undefined;
    await this.#startPart(BROKER_PART, {}, async (onSpawn) => {
      if (broker === undefined)
        broker = await startBroker({ ...options, dataDir: join(this.directory, 'kafka'), onSpawn });
      else await broker.restart();
      return broker.process();
    });
    if (broker === undefined) throw new Error('the broker started without an address');
    this.#broker = broker.address;
    return broker;
  }

  async startStore(
    options: {
      readonly port?: number;
      /** That of the credentials where left out. */
      readonly password?: string;
      readonly memoryBytesMax?: number;
    } = {},
  ): Promise<RunningStore> {
    const { mode } = this.#options;
    const { password = this.credentials.storePassword, port = await freePort(), ...bounds } = options;
    const adminPort = await freePort();
    const dataDir = join(this.directory, 'store');
    const settings = { ...bounds, mode, dataDir, password, port, adminPort, logFile: this.#logFile('store') };
    let store: RunningStore | undefined;
    const env = storeServiceEnv({ port, dataDir, user: 'imscope', password });
    await this.#startPart('store', env, async (onSpawn) => {
      store = await startStore({ ...settings, onSpawn });
      return store;
    });
    if (store === undefined) throw new Error('the store started without an address');
    this.#store = store;
    return store;
  }

  /** Makes tables and topics. @param env beside the aggregator's usual settings */
  async prepare(env: Env = {}, release: Release = this.#options): Promise<void> {
    await this.#runCommand('aggregator', this.aggregatorEnv(), { env, release }, ['prepare']);
  }

  /** Loads the installed address data into the store; does nothing where that version is loaded. */
  async loadNetworks(): Promise<void> {
    await this.#runCommand('aggregator', this.aggregatorEnv(), {}, ['networks-load']);
  }

  /** The aggregator's usual settings. */
  aggregatorEnv(): Env {
    return aggregatorEnv(this.#kafkaAddress(), this.#storeAddress());
  }

  async startAggregator(options: Omit<ServiceOptions, 'port'> = {}): Promise<RunningService> {
    return this.#startService('aggregator', this.aggregatorEnv(), options);
  }

  async startCollector(options: ServiceOptions = {}): Promise<ListeningService> {
    const { name = 'collector', port = await freePort() } = options;
    const spoolDir = join(this.directory, fileName(name).replace(/^collector/, 'spool'));
    const { registryFile } = this.credentials;
    const env = collectorEnv({ kafka: this.#kafkaAddress(), port, registryFile, spoolDir });
    return { ...(await this.#startService('collector', env, options)), ...listeningAt(port) };
  }

  async startQuery(options: ServiceOptions = {}): Promise<ListeningService> {
    const { port = await freePort() } = options;
    const { registryFile } = this.credentials;
    const env = queryEnv({ store: this.#storeAddress(), port, registryFile });
    return { ...(await this.#startService('query', env, options)), ...listeningAt(port) };
  }

  /** The registry on one machine: a SQLite file and a folder. Needs broker and store. */
  async startRegistry(options: ServiceOptions = {}): Promise<ListeningService> {
    const { name = 'registry', port = await freePort() } = options;
    const { registryFile, masterKeyFile, sessionKey } = this.credentials;
    const directory = join(this.directory, fileName(name));
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const env = registryEnv({
      kafka: this.#kafkaAddress(),
      store: this.#storeAddress(),
      port,
      directory,
      registryFile,
      masterKeyFile,
      sessionKey,
    });
    await this.#runCommand('registry', env, options, ['migrate']);
    return { ...(await this.#startService('registry', env, options)), ...listeningAt(port) };
  }

  /** Settings by which a collector or query service gets tokens and applications from the registry, not from the file. */
  fromRegistry(service: 'collector' | 'query'): Env {
    return {
      ...kafkaEnv(this.#kafkaAddress()),
      REGISTRY_FILE: '',
      REGISTRY_TOPIC: 'true',
      REGISTRY_CACHE_FILE: join(this.directory, `${service}-registry-cache.json`),
    };
  }

  /** How clients reach the store. Throws where there is none. */
  store(): StoreAddress {
    return this.#storeAddress();
  }

  has(name: string): boolean {
    return this.#parts.get(name)?.process !== undefined;
  }

  /** All settings a part was started with. Throws where there is no such part. */
  env(name: string): Env {
    return this.#part(name).env;
  }

  /** The process of a part as it is now, also while it is being started. */
  process(name: string): ManagedProcess {
    const { process } = this.#part(name);
    if (process === undefined) throw new Error(`${name} was never started`);
    return process;
  }

  /** Stops a part; it stays stopped until `start`. */
  async stop(name: string): Promise<void> {
    await stopPart(this.#part(name));
  }

  /** SIGKILL, also while it is being started: then that start fails. */
  async kill(name: string): Promise<void> {
    await this.process(name).kill();
  }

  /** Starts a part that ended again, on its ports and data. Resolves when it is ready. */
  async start(name: string): Promise<void> {
    this.#assertNotEnded();
    await this.#part(name).start();
  }

  /** Adds what is to be stopped with the parts, before those that were started earlier: clients, proxies, senders. */
  onEnd(name: string, stop: () => Promise<unknown>): void {
    this.#endings.push({ name, stop });
  }

  /**
   * Stops everything in reverse order. What cannot be stopped does not keep the rest from it: its error is thrown at
   * the end.
   */
  async end(onStopped: (name: string, tookMs: number) => void = () => undefined): Promise<void> {
    this.#ended = true;
    const errors: unknown[] = [];
    for (let ending = this.#endings.pop(); ending !== undefined; ending = this.#endings.pop()) {
      const startMs = performance.now();
      try {
        await ending.stop();
        onStopped(ending.name, performance.now() - startMs);
      } catch (error) {
        errors.push(error);
      }
    }
    if (this.#options.directory === undefined) rmSync(this.directory, { recursive: true, force: true });
    if (errors.length > 0) throw errors[0];
  }

  /** Runs a command of a service to its end; its log is named by the command. */
  async #runCommand(
    name: Exclude<ServiceName, 'store'>,
    usual: Env,
    { env = {}, release = this.#options }: Pick<ServiceOptions, 'env' | 'release'>,
    args: readonly [command: string],
  ): Promise<void> {
    this.#assertNotEnded();
    const { onSpawn } = this.#options;
    const { mode, root } = release;
    await runServiceCommand(
      {
        name,
        mode,
        ...(root === undefined ? {} : { root }),
        env: { ...usual, ...env },
        logFile: this.#logFile(args[0]),
        ...(onSpawn === undefined ? {} : { onSpawn }),
      },
      args,
    );
  }

  async #startService(
    service: Exclude<ServiceName, 'store'>,
    usual: Env,
    { name = service, env: own = {}, release = this.#options }: ServiceOptions,
  ): Promise<RunningService> {
    const adminPort = await freePort();
    const env = { ...usual, ...own };
    const { mode, root } = release;
    const logFile = this.#logFile(name);
    const options = { name: service, mode, env, logFile, adminPort, ...(root === undefined ? {} : { root }) };
    const process = await this.#startPart(name, env, (onSpawn) =>
      startService({ ...options, onSpawn: (child) => onSpawn({ ...child, name }) }),
    );
    return { ...process, adminPort };
  }

  async #startPart(
    name: string,
    env: Env,
    start: (onSpawn: OnSpawn) => Promise<ManagedProcess>,
  ): Promise<ManagedProcess> {
    this.#assertNotEnded();
    if (this.#parts.has(name)) throw new Error(`the stack has a part ${name} already`);
    const { onSpawn, onSupervisorEvent } = this.#options;
    const noteSpawn: OnSpawn = (process) => {
      part.process = process;
      onSpawn?.(process);
      // The stack ended before this process existed, so nothing else stops it.
      if (this.#ended) void process.kill();
    };
    const part: Part = { env, start: () => start(noteSpawn), process: undefined, supervised: undefined };
    this.#parts.set(name, part);
    // Before it is ready: an end that comes while it starts stops it, too.
    this.onEnd(name, () => stopPart(part));
    if (onSupervisorEvent === undefined) return part.start();
    part.supervised = await supervise({ name, start: part.start, onEvent: onSupervisorEvent });
    return part.supervised.current();
  }

  #part(name: string): Part {
    return this.#parts.get(name) ?? failMissing(name);
  }

  #kafkaAddress(): KafkaAddress {
    const { topicPrefix } = this.#options;
    const broker = this.#broker ?? failMissing('broker');
    return { broker, ...(topicPrefix === undefined ? {} : { topicPrefix }) };
  }

  #storeAddress(): StoreAddress {
    return this.#store ?? failMissing('store');
  }

  #logFile(name: string): string {
    return join(this.directory, 'logs', `${fileName(name)}.log`);
  }

  #assertNotEnded(): void {
    if (this.#ended) throw new Error(`the stack ${this.#options.name} has ended: nothing more is started`);
  }
}

/** Opens a stack and starts what `start` says; ends it again where that throws. */
export async function startStack<T>(options: StackOptions, start: (stack: Stack) => Promise<T>): Promise<T> {
  const stack = new Stack(options);
  try {
    return await start(stack);
  } catch (error) {
    await stack.end();
    throw error;
  }
}

async function stopPart({ process, supervised }: Part): Promise<void> {
  if (supervised === undefined) await process?.stop();
  else await supervised.stop();
}

function listeningAt(port: number): { port: number; url: string } {
  return { port, url: `http://127.0.0.1:${port}` };
}

function fileName(name: string): string {
  return name.replaceAll(' ', '-');
}

function failMissing(what: string): never {
  throw new Error(`the stack has no ${what}: start it first`);
}
