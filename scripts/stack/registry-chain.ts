/*
 * A stack with a registry that distributes: Redis and the compacted topic, a collector of each, and a query service of
 * Redis. For tests and benches of what a change of the registry causes in other processes.
 */
import { type Call, createCall } from '@imscope/schemas/registry-api/call.js';
import type { NewApplication } from '@imscope/schemas/registry-api/operations.js';
import { join } from 'node:path';
import type { Env } from './service-env.js';
import type { RunningService } from './services.js';
import { type RedisServer, startRedis } from './redis.js';
import type { ListeningService, Stack } from './stack.js';

export type RegistryChain = {
  readonly redis: RedisServer;
  readonly registry: ListeningService;
  /** The typed client of the administrator. */
  readonly call: Call;
  readonly redisEnv: Env;
  readonly topicEnv: Env;
};

/** Broker, store, tables and topics, Redis, and the registry with both sinks. @param before runs before the registry */
export async function startRegistryChain(
  stack: Stack,
  before: (redis: RedisServer) => Promise<void> = async () => undefined,
): Promise<RegistryChain> {
  await stack.startBroker();
  await stack.startStore();
  await stack.prepare();
  const redis = await startRedis({ dataDir: join(stack.directory, 'redis') });
  stack.onEnd('redis', () => redis.stop());
  await before(redis);
  const url = `redis://${redis.address}`;
  const registry = await stack.startRegistry({ env: { REDIS_URL: url, REGISTRY_TOPIC: 'true' } });
  const headers = { authorization: `Bearer ${stack.credentials.adminToken}` };
  return {
    redis,
    registry,
    call: createCall((path, init) =>
      fetch(`${registry.url}${path}`, { ...init, headers: { ...init.headers, ...headers } }),
    ),
    // Empty: not set.
    redisEnv: { REGISTRY_FILE: '', REGISTRY_REDIS_URL: url },
    topicEnv: { REGISTRY_FILE: '', REGISTRY_TOPIC: 'true' },
  };
}

export function newApplication(sdkAppId: number): NewApplication {
  return {
    sdk_app_id: sdkAppId,
    app_id: 1_250_000_001,
    uin: 100_000_000_001,
    details: { name: `Application ${sdkAppId}`, data_centre: 'singapore' },
  };
}

/** What a collector says of one good record: accepted, or why it is refused. @param code of the record */
export async function sendRecord(
  collector: Pick<ListeningService, 'url'>,
  token: string,
  sdkAppId: number,
  code = 0,
): Promise<string> {
  const record = {
    time: Date.now(),
    sdk_app_id: sdkAppId,
    interface: 'openim/sendmsg',
    exit_ip: '203.0.113.7',
    latency_ms: 12,
    code,
  };
  const response = await fetch(`${collector.url}/v1/request-logs`, {
    method: 'POST',
    body: JSON.stringify([record]),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  });
  const answer: unknown = await response.json();
  const { error, rejected } = Object(answer);
  return response.ok ? String(rejected?.[0]?.reason ?? 'accepted') : String(error?.code);
}

/**
 * What the query service says of reading an application: `not_allowed`, or what it says of a window that is too far
 * back, which it says to those alone who may read. So nothing is read from the store.
 */
export async function askFor(
  query: Pick<ListeningService, 'url'>,
  token: string,
  sdkAppId: number,
): Promise<string> {
  const span = 'from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z';
  const response = await fetch(`${query.url}/v1/applications/${sdkAppId}/overview?${span}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const answer: unknown = await response.json();
  return response.ok ? 'answered' : String(Object(answer).error?.code);
}

/** The newest revision that a service obeys; for waiting. @param prefix `imscope_collector` or `imscope_query` */
export async function revisionOf(
  { adminPort }: Pick<RunningService, 'adminPort'>,
  prefix: string,
): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
  const [, value] =
    new RegExp(`^${prefix}_registry_revision(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(await response.text()) ?? [];
  return Number(value);
}
