/* Builds logs as Kafka would hold them: batches of request logs, markers, duplicates, poison. */
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { type EventTimes, writeBatchHeaders } from '@imscope/schemas/batch-headers.js';
import { type BlockBounds, writeMarkerHeaders } from '@imscope/schemas/block-bounds.js';
import { BlockBuilder } from '@imscope/schemas/block-builder.js';
import { containerHeader } from '@imscope/schemas/container.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import type { LogMessage } from '../src/blocks/block-cutter.js';
import type { FetchedMessages } from '../src/consume/loop-context.js';

export const LOG_TIME = Date.UTC(2026, 10, 23, 12);

export function requestLog(index: number, time = LOG_TIME): RequestLog {
  return {
    time,
    sdk_app_id: 1_400_000_001,
    interface: 'openim/sendmsg',
    exit_ip: Buffer.alloc(16, 1),
    latency_us: 1_000 + index,
    upstream_us: null,
    rtt_us: null,
    code: 0,
    http_status: 200,
    outcome: 'success',
    exception: '',
    cause: '',
    node: 'gw-1',
    region: 'ap-guangzhou',
    platform: '',
    sdk_version: '',
    request_id: `r-${index}`,
    weight: 1,
  };
}

const builder = new BlockBuilder<RequestLog>(REQUEST_LOG_SCHEMA);

export type Entry =
  | { readonly kind: 'batch'; readonly boot: string; readonly sequence: number; readonly records: number }
  | { readonly kind: 'marker'; readonly bounds?: BlockBounds }
  | { readonly kind: 'poison'; readonly value: Buffer | null };

/** The messages of one partition, at offsets from `firstOffset` on, one second apart. */
export function logOf(entries: readonly Entry[], firstOffset = 0): LogMessage[] {
  return entries.map((entry, index) => {
    const place = { offset: firstOffset + index, appendedMs: LOG_TIME + (firstOffset + index) * 1_000 };
    if (entry.kind === 'marker') {
      const headers = entry.bounds === undefined ? undefined : writeMarkerHeaders(entry.bounds);
      return { ...place, value: containerHeader(REQUEST_LOG_SCHEMA), headers };
    }
    if (entry.kind === 'poison') return { ...place, value: entry.value, headers: undefined };
    return { ...place, ...batchMessage(entry) };
  });
}

/** Value and headers of one batch. Every record's id names its batch, so content can be compared. */
export function batchMessage(
  { boot, sequence, records }: { boot: string; sequence: number; records: number },
  partition = 0,
  eventTimes: EventTimes = { least: LOG_TIME, greatest: LOG_TIME },
): { value: Buffer; headers: Record<string, string> } {
  for (let index = 0; index < records; index++) {
    builder.append({
      ...requestLog(index, eventTimes.least),
      request_id: `${boot}-${partition}-${sequence}-${index}`,
    });
  }
  const value = builder.finish();
  return { value, headers: writeBatchHeaders({ boot, partition, sequence }, records, value, eventTimes) };
}

/** The broker's answer to a fetch that gave these messages; without further fields there are no holes around them. */
export function fetchedOf(
  messages: readonly LogMessage[],
  endOffset: number,
  fields: Partial<FetchedMessages> = {},
): FetchedMessages {
  const firstOffset = messages[0]?.offset ?? endOffset;
  return {
    messages,
    fetchedFrom: firstOffset,
    firstOffset,
    coveredTo: (messages.at(-1)?.offset ?? endOffset - 1) + 1,
    logStart: 0,
    stableOffset: endOffset,
    endOffset,
    ...fields,
  };
}
