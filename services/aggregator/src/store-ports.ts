/* The store's side of the consumer loop, by ClickHouse's HTTP client. */
import type { ClickHouseClient } from '@imscope/runtime/store-client.js';
import type { StorePorts } from './consumer-parts.js';
import { insertBlock } from './insert-block.js';
import { readPosition, readSeenBatches, writeLedgerRow } from './ledger.js';

export function storePorts(client: ClickHouseClient): StorePorts {
  return {
    insert: (stream, insert) => insertBlock(client, stream, insert),
    writeLedger: (row) => writeLedgerRow(client, row),
    readPosition: (place) => readPosition(client, place),
    readSeen: (place, range) => readSeenBatches(client, place, range),
  };
}
