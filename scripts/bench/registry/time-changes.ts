/*
 * How long after the registry's answer a change is in force: applications are terminated one after another through the
 * API, while each receiver is asked again and again until it obeys.
 */
import type { Call } from '@imscope/schemas/registry-api/call.js';
import { askFor, newApplication, sendRecord } from '../../stack/registry-chain.js';
import type { ListeningService } from '../../stack/stack.js';
import { FIRST_APPLICATION } from './fill-entries.js';

export type ChangeOptions = {
  readonly call: Call;
  readonly changes: number;
  readonly collectors: Readonly<Record<'redis' | 'topic', ListeningService>>;
  readonly query: ListeningService;
  readonly writeToken: string;
  readonly readToken: string;
};

/** Milliseconds from the registry's answer to the first answer that obeys, of each change. */
export type ChangeTimes = Readonly<Record<'redis' | 'topic' | 'query' | 'everywhere', readonly number[]>>;

/** Above those that were filled in. */
const FIRST_CHANGED = FIRST_APPLICATION + 100_000_000;
const WAIT_MS_MAX = 30_000;

export async function timeChanges(options: ChangeOptions): Promise<ChangeTimes> {
  const { call, changes } = options;
  const ids = Array.from({ length: changes }, (_, index) => FIRST_CHANGED + index);
  for (const id of ids) await call('createApplication', { body: newApplication(id) });
  await untilObeyed(async () => isAccepted(options, ids.at(-1) ?? FIRST_CHANGED), performance.now());
  const times = { redis: [], topic: [], query: [], everywhere: [] } as Record<keyof ChangeTimes, number[]>;
  for (const id of ids) {
    const one = await timeChange(options, id);
    for (const name of ['redis', 'topic', 'query'] as const) times[name].push(one[name]);
    times.everywhere.push(Math.max(one.redis, one.topic, one.query));
  }
  return times;
}

async function isAccepted({ collectors, writeToken }: ChangeOptions, id: number): Promise<boolean> {
  const answers = await Promise.all(
    Object.values(collectors).map((collector) => sendRecord(collector, writeToken, id)),
  );
  return answers.every((answer) => answer === 'accepted');
}

async function timeChange(
  { call, collectors, query, writeToken, readToken }: ChangeOptions,
  id: number,
): Promise<Record<'redis' | 'topic' | 'query', number>> {
  const params = { sdk_app_id: id };
  const { revision } = await call('getApplication', { params });
  await call('terminateApplication', { params, revision, body: { reason: 'bench' } });
  const startMs = performance.now();
  const refuses = (collector: ListeningService) => async () =>
    (await sendRecord(collector, writeToken, id)) === 'application_terminated';
  const [redis, topic, asked] = await Promise.all([
    untilObeyed(refuses(collectors.redis), startMs),
    untilObeyed(refuses(collectors.topic), startMs),
    untilObeyed(async () => (await askFor(query, readToken, id)) === 'not_allowed', startMs),
  ]);
  return { redis, topic, query: asked };
}

/** @returns milliseconds since the start */
async function untilObeyed(isObeyed: () => Promise<boolean>, startMs: number): Promise<number> {
  while (!(await isObeyed())) {
    if (performance.now() - startMs > WAIT_MS_MAX)
      throw new Error(`a change was not in force after ${WAIT_MS_MAX} ms`);
  }
  return performance.now() - startMs;
}
