/* The channels of the outbox: which messages go to which system, and how many wait. */
import type { Reader } from '../rows/application-rows.js';
import type { OutboxTable } from '../rows/tables.js';

export const CHANNELS = ['trtc', 'notice'] as const;
export type Channel = (typeof CHANNELS)[number];

export const KINDS = {
  trtc: ['trtc_share', 'trtc_end'],
  notice: ['notice'],
} as const satisfies Record<Channel, readonly OutboxTable['kind'][]>;

export type Backlog = {
  readonly messages: number;
  /** undefined: none waits. */
  readonly oldestMs: number | undefined;
};

export async function readBacklog(db: Reader, channel: Channel): Promise<Backlog> {
  const { count, oldest_ms: oldestMs } = await db
    .selectFrom('outbox')
    .select(({ fn }) => [fn.countAll<number>().as('count'), fn.min('created_ms').as('oldest_ms')])
    .where('kind', 'in', [...KINDS[channel]])
    .executeTakeFirstOrThrow();
  // The type does not say that the least of no rows is null.
  return { messages: count, oldestMs: count === 0 ? undefined : oldestMs };
}
