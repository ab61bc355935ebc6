/*
 * `npm run bench:registry`: with 100,000 applications, how long a collector takes to start from Redis, from its cache file
 * and from the compacted topic, how soon a change of the registry is in force in running collectors and the query service,
 * how long a collector takes to find an application in its local copy, and how much memory the copy takes. Each figure is one JSON line; see scripts/bench/docs/registry.md.
 */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type RegistryChain, revisionOf, startRegistryChain } from '../../stack/registry-chain.js';
import type { Env } from '../../stack/service-env.js';
import { type ListeningService, startStack, type Stack } from '../../stack/stack.js';
import { figure, type Goal, printFigure, say } from '../figure.js';
import { median, percentile } from '../statistics.js';
import type { CopyFigures } from './copy-process.js';
import { fillEntries } from './fill-entries.js';
import { readRegistryOptions } from './options.js';
import { timeChanges } from './time-changes.js';

const START: Goal = { bound: 'below', limit: 2 };
const CHANGE: Goal = { bound: 'below', limit: 1_000 };
const LOOK_UP: Goal = { bound: 'below', limit: 0.2 };
const MEMORY: Goal = { bound: 'below', limit: 100 };
const PUBLISHED_MS_MAX = 120_000;

const SOURCES = ['file', 'redis', 'topic', 'cache'] as const;
type Source = (typeof SOURCES)[number];

const options = readRegistryOptions(process.argv.slice(2));
await startStack({ name: 'bench-registry', mode: 'built' }, async (stack) => {
  try {
    await run(stack);
  } finally {
    await stack.end();
  }
});

async function run(stack: Stack): Promise<void> {
  say(`writing ${options.applications} entries, and starting a broker, a store, Redis and the registry`);
  const chain = await startRegistryChain(stack, async () => {
    const directory = join(stack.directory, 'registry');
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    await fillEntries(join(directory, 'registry.db'), options.applications);
  });
  await reportCopy(chain);
  await reportStarts(stack, chain);
  await reportChanges(stack, chain);
}

async function reportCopy({ redis }: RegistryChain): Promise<void> {
  say('look-ups and memory of the copy');
  const script = fileURLToPath(new URL('copy-process.ts', import.meta.url));
  const args = ['--conditions=imscope-source', '--import', 'tsx', '--expose-gc', script];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...args, `redis://${redis.address}`, String(options.applications)],
    { timeout: PUBLISHED_MS_MAX },
  );
  const { applications, bytes, lookUpUs } = JSON.parse(stdout) as CopyFigures;
  printFigure(figure('applications', applications, 'count'));
  printFigure(figure('look_up', lookUpUs, 'us', { goal: LOOK_UP }));
  printFigure(figure('copy_memory', bytes / 1e6, 'MB', { goal: MEMORY }));
}

/**
 * One start of each in every round, because a shared machine is not equally fast all the time. `file` is the applications
 * file with a few tokens and no application: what a start takes by itself.
 */
async function reportStarts(stack: Stack, chain: RegistryChain): Promise<void> {
  const seconds: Record<Source, number[]> = { file: [], redis: [], topic: [], cache: [] };
  for (let round = 0; round < options.starts; round++) {
    say(`starts of a collector, round ${round + 1} of ${options.starts}`);
    for (const source of SOURCES) seconds[source].push(await timeStart(stack, chain, source, round));
  }
  const alone = median(seconds.file);
  for (const source of SOURCES) {
    const interval = [Math.min(...seconds[source]), Math.max(...seconds[source])] as const;
    const goal = source === 'file' ? {} : { goal: START };
    printFigure(figure(`collector_start_${source}`, median(seconds[source]), 's', { interval, ...goal }));
    if (source !== 'file') {
      printFigure(figure(`collector_start_${source}_more`, median(seconds[source]) - alone, 's'));
    }
  }
}

/**
 * Seconds until `/ready` answers 200: records are accepted by then. The spool is new, and so is the cache file, but that of
 * the source `cache`, which a start from Redis left.
 */
async function timeStart(stack: Stack, chain: RegistryChain, source: Source, round: number): Promise<number> {
  const env: Record<Source, Env> = {
    file: {},
    redis: chain.redisEnv,
    topic: chain.topicEnv,
    // Nothing listens there.
    cache: { ...chain.redisEnv, REGISTRY_REDIS_URL: 'redis://127.0.0.1:9' },
  };
  const cacheOf = source === 'cache' ? 'redis' : source;
  const cacheFile = join(stack.directory, `cache-${cacheOf}-${round}`);
  const name = `collector ${source} ${round}`;
  const startMs = performance.now();
  await stack.startCollector({ name, env: { ...env[source], REGISTRY_CACHE_FILE: cacheFile } });
  const tookMs = performance.now() - startMs;
  await stack.stop(name);
  return tookMs / 1_000;
}

async function reportChanges(stack: Stack, chain: RegistryChain): Promise<void> {
  say(`${options.changes} changes through the registry's API`);
  const redis = await stack.startCollector({ name: 'collector redis', env: chain.redisEnv });
  const topic = await stack.startCollector({ name: 'collector topic', env: chain.topicEnv });
  const query = await stack.startQuery({ env: chain.redisEnv });
  await untilSameRevision([redis, topic]);
  const { writeToken, readToken } = stack.credentials;
  const { call } = chain;
  const { changes } = options;
  const times = await timeChanges({
    call,
    changes,
    collectors: { redis, topic },
    query,
    writeToken,
    readToken,
  });
  for (const [name, each] of Object.entries(times)) {
    const label = name === 'everywhere' ? name : name === 'query' ? 'in_query' : `in_collector_of_${name}`;
    printFigure(figure(`change_${label}_p50`, median(each), 'ms'));
    printFigure(figure(`change_${label}_p99`, percentile(each, 0.99), 'ms', { goal: CHANGE }));
    printFigure(figure(`change_${label}_max`, Math.max(...each), 'ms'));
  }
}

async function untilSameRevision(collectors: readonly ListeningService[]): Promise<void> {
  const deadlineMs = performance.now() + PUBLISHED_MS_MAX;
  for (;;) {
    const found = await Promise.all(collectors.map((each) => revisionOf(each, 'imscope_collector')));
    if (new Set(found).size === 1) return;
    if (performance.now() > deadlineMs) throw new Error(`collectors are at revisions ${found.join(' and ')}`);
  }
}
