/* A fault of the accounting as a difference of a pass: with the topic's prefix, its check, and a sentence. */
import type { Fault, FaultKind, MissingAccounts } from '@imscope/accounting/balance/fault.js';
import type { Check, Difference } from './difference.js';

export function faultDifference(fault: Fault, topicPrefix: string): Difference {
  const { kind, topic, partition, boot, collector, first_sequence, last_sequence, expected, found } = fault;
  return {
    check: CHECK_OF[kind],
    kind,
    ...(topic === undefined ? {} : { topic: topicPrefix + topic }),
    ...(partition === undefined ? {} : { partition }),
    ...(collector === undefined ? {} : { collector }),
    ...(boot === undefined ? {} : { boot }),
    ...(first_sequence === undefined ? {} : { first_sequence }),
    ...(last_sequence === undefined ? {} : { last_sequence }),
    expected,
    found,
    words: describeFault(fault),
  };
}

const CHECK_OF: Readonly<Record<FaultKind, Check>> = {
  missing_accounts: 'rows',
  doubled_accounts: 'rows',
  missing_batches: 'boots',
  doubled_batches: 'boots',
  unsent_batches: 'boots',
  unvouched_batches: 'boots',
  record_sum: 'boots',
  keyed_sum: 'boots',
  no_account: 'boots',
  silent_boot: 'boots',
  retired_returned: 'boots',
};

function describeFault(fault: Fault): string {
  const { expected, found } = fault;
  switch (fault.kind) {
    case 'missing_batches':
      return `${batches(expected)}${lostRecords(fault.records)} sent but not in the ledger, while later ones are`;
    case 'doubled_batches':
      return `${batches(expected)} stored by two blocks`;
    case 'unsent_batches':
      return `${batches(expected)} that the collector logged to be sent never came`;
    case 'unvouched_batches':
      return `${batches(found)} stored that no account vouches for`;
    case 'record_sum':
      return `the account says ${count(expected, 'record', 'records')} in these batches, the ledger ${found.toLocaleString('en-US')}`;
    case 'keyed_sum':
      return 'records of requests with an Idempotency-Key, over all incarnations';
    case 'no_account':
      return `${batches(found)} stored, and no account of this incarnation`;
    case 'silent_boot':
      return `no account since ${new Date(fault.lastAccountMs).toISOString()}, and no final account`;
    case 'retired_returned':
      return `retired by ${fault.by} after account ${expected}, and it wrote account ${found}: the booked loss no longer counts`;
    case 'missing_accounts':
      return describeMissing(fault.missing, expected - found);
    case 'doubled_accounts':
    default:
      return `${found - expected} rows of accounts are there more than once`;
  }
}

function lostRecords(records: number): string {
  return records > 0 ? ` (${count(records, 'record', 'records')})` : '';
}

function describeMissing(missing: MissingAccounts, rows: number): string {
  const some = `${rows} ${rows === 1 ? 'row is' : 'rows are'} missing`;
  switch (missing.where) {
    case 'all':
      return `none of ${rows} account rows is there`;
    case 'between': {
      const ranges = missing.ranges.map(({ first, last }) =>
        first === last ? `${first}` : `${first} to ${last}`,
      );
      return `account ${ranges.join(', ')} is missing`;
    }
    case 'chunks':
      return `chunks of accounts ${missing.first} to ${missing.last} are missing`;
    case 'either_end':
      return `${some}, the first or the last`;
    case 'after':
    default:
      return `${some} after account ${missing.account}`;
  }
}

function batches(number: number): string {
  return count(number, 'batch', 'batches');
}

function count(number: number, one: string, many: string): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? one : many}`;
}
