/*
 * A history of collectors for tests: what each incarnation sends in its minutes, its accounts, and the blocks of the
 * ledger. A part of it can be left out, to be found missing.
 */
import { KEYED_SEQUENCE } from '@imscope/schemas/edge-account.js';
import type { Account } from '@imscope/accounting/running/incarnation-track.js';
import type { LedgerBlock } from '@imscope/accounting/running/running-balance.js';
import { RunningBalance } from '@imscope/accounting/running/running-balance.js';

export const MINUTE_MS = 60_000;
export const START_MS = Date.UTC(2026, 10, 23, 12);

export type SentBatch = {
  readonly boot: string;
  readonly partition: number;
  readonly sequence: number;
  readonly records: number;
  readonly sentMs: number;
};

export type History = { readonly batches: readonly SentBatch[]; readonly accounts: readonly Account[] };

export const bootName = (index: number): string => `boot00000000000${index}`;

/**
 * Incarnations that begin together and write an account at the start and after each minute. `minutes[boot][minute]` lists the records of the batches sent then, round the partitions, evenly spaced.
 */
export function historyOf(
  minutes: readonly (readonly (readonly number[])[])[],
  partitions = 2,
  startMs = START_MS,
): History {
  const batches: SentBatch[] = [];
  const accounts: Account[] = [];
  minutes.forEach((ofBoot, index) => {
    const boot = bootName(index);
    const sent = Array.from({ length: partitions }, (_, partition) => ({
      partition,
      lastSequence: -1,
      records: 0,
    }));
    const account = (sequence: number): void => {
      accounts.push({
        collector: `edge-${index}`,
        boot,
        startedMs: startMs,
        sequence,
        timeMs: startMs + sequence * MINUTE_MS,
        final: false,
        sent: sent.filter(({ lastSequence }) => lastSequence >= 0).map((one) => ({ ...one })),
      });
    };
    account(0);
    let next = 0;
    ofBoot.forEach((records, minute) => {
      records.forEach((count, place) => {
        const to = sent[next % partitions];
        next += 1;
        if (to === undefined) return;
        to.lastSequence += 1;
        to.records += count;
        const sentMs =
          startMs + minute * MINUTE_MS + Math.floor((MINUTE_MS * (place + 0.5)) / records.length);
        batches.push({ boot, partition: to.partition, sequence: to.lastSequence, records: count, sentMs });
      });
      account(minute + 1);
    });
  });
  return { batches, accounts };
}

/** Batches of a block that Kafka appended at this time. */
export const appendedAt = (appendedMs: number) => ({
  firstAppendedMs: appendedMs,
  lastAppendedMs: appendedMs,
});

/** The ledger's rows: each block of a partition holds `messages` batches, in the order they were sent. */
export function blocksOf(batches: readonly SentBatch[], messages = 1): LedgerBlock[] {
  const partitions = new Map<number, SentBatch[]>();
  for (const batch of batches.toSorted((a, b) => a.sentMs - b.sentMs)) {
    partitions.set(batch.partition, [...(partitions.get(batch.partition) ?? []), batch]);
  }
  return Array.from(partitions).flatMap(([partition, own]) =>
    Array.from({ length: Math.ceil(own.length / messages) }, (_, index): LedgerBlock => {
      const held = own.slice(index * messages, (index + 1) * messages);
      const appendedMs = Math.max(...held.map(({ sentMs }) => sentMs)) + 20;
      return {
        cluster: 'c',
        topic: 'im.request-log',
        epoch: 0,
        partition,
        lastOffset: (index + 1) * messages - 1,
        appendedMs,
        batches: held.map(({ boot, sequence, records }) => ({
          boot,
          first: sequence,
          last: sequence,
          records,
          ...appendedAt(appendedMs),
        })),
        expired: [],
        dead: [],
        keyedStored: 0,
      };
    }),
  );
}

/** One block for each account, appended 20 ms after it was made. */
export function accountBlocksOf(accounts: readonly Account[]): LedgerBlock[] {
  return accounts
    .toSorted((a, b) => a.timeMs - b.timeMs)
    .map(({ boot, sequence, timeMs }, offset) => ({
      cluster: 'c',
      topic: 'im.edge-account',
      epoch: 0,
      partition: 0,
      lastOffset: offset,
      appendedMs: timeMs + 20,
      batches: [{ boot, first: sequence, last: sequence, records: 1, ...appendedAt(timeMs + 20) }],
      expired: [],
      dead: [],
      keyedStored: 0,
    }));
}

/** The same accounts with keyed batches of so many records sent to a partition in a minute. */
export function withKeyed(
  accounts: readonly Account[],
  sent: {
    readonly boot: string;
    readonly partition: number;
    readonly minute: number;
    readonly records: number;
  },
): Account[] {
  const { boot, partition, minute, records } = sent;
  return accounts.map((account) =>
    account.boot !== boot || account.sequence <= minute
      ? account
      : { ...account, sent: [...account.sent, { partition, lastSequence: KEYED_SEQUENCE, records }] },
  );
}

export function balanceOf(history: {
  readonly blocks: readonly LedgerBlock[];
  readonly accounts: readonly Account[];
}): RunningBalance {
  const balance = new RunningBalance();
  for (const block of [...history.blocks, ...accountBlocksOf(history.accounts)]) balance.addBlock(block);
  for (const account of history.accounts) balance.addAccount(account, START_MS);
  return balance;
}
