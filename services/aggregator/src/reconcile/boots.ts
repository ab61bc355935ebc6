/*
 * Sent by boot and partition = stored + duplicate + dead + expired. A batch sent twice counts once in accounts and in
 * the ledger's intervals, so duplicates add nothing. Batches of a boot come in the order of their sequences: a hole
 * below one that is stored is a loss at once, what lies behind the last one stored may be on its way until settled.
 */
import type { BatchStretch, BootAccounts, BootEvidence, Losses, Mark } from './boot-evidence.js';
import { keyedDifferences } from './keyed-differences.js';
import type { Difference } from './difference.js';
import type { Settling } from './look.js';

/** What is not settled yet, and so no difference. */
export type Pending = { readonly boots: number; readonly batches: number };

export type BootsResult = { readonly differences: readonly Difference[]; readonly pending: Pending };

/** The account's own batches are not in it: it vouches for what was sent before it. */
const ACCOUNT_TOPIC = 'im.edge-account';

/** Everything known of one boot's batches in one partition. */
type Ledger = {
  readonly boot: string;
  readonly topic: string;
  readonly partition: number;
  readonly stretches: readonly BatchStretch[];
  readonly mark: Mark | undefined;
  readonly lost: number;
};

export function bootDifferences(evidence: BootEvidence, settling: Settling): BootsResult {
  const boots = new Map(evidence.boots.map((boot) => [boot.boot, boot]));
  const found = ledgersOf(evidence).map((ledger) => judgeLedger(ledger, boots.get(ledger.boot), settling));
  const unaccounted = [...Map.groupBy(evidence.stretches, ({ boot }) => boot)]
    .filter(([boot]) => !evidence.known.has(boot))
    .map(([boot, stretches]) => judgeUnaccounted(boot, stretches, settling));
  const silent = evidence.boots.flatMap((boot) => judgeSilence(boot, settling));
  const all = [...found, ...unaccounted];
  const pending = all.filter(({ pending }) => pending > 0);
  return {
    differences: [
      ...all.flatMap(({ differences }) => differences),
      ...silent,
      ...keyedDifferences(evidence, settling),
    ],
    pending: {
      boots: new Set(pending.map(({ boot }) => boot)).size,
      batches: pending.reduce((sum, { pending: batches }) => sum + batches, 0),
    },
  };
}

function ledgersOf(evidence: BootEvidence): Ledger[] {
  const key = (at: Pick<Ledger, 'boot' | 'topic' | 'partition'>): string =>
    `${at.boot}/${at.topic}/${at.partition}`;
  const stretches = Map.groupBy(evidence.stretches, key);
  const marks = new Map(evidence.marks.filter(({ keyed }) => !keyed).map((mark) => [key(mark), mark]));
  const losses = new Map(evidence.losses.map((loss: Losses) => [key(loss), loss.records]));
  const places = new Map(
    [...evidence.stretches, ...marks.values()].map((at) => [
      key(at),
      { boot: at.boot, topic: at.topic, partition: at.partition },
    ]),
  );
  return Array.from(places, ([place, at]) => ({
    ...at,
    stretches: stretches.get(place) ?? [],
    mark: marks.get(place),
    lost: losses.get(place) ?? 0,
  }));
}

type Judged = {
  readonly boot: string;
  readonly differences: readonly Difference[];
  /** Batches that may be on their way. */
  readonly pending: number;
};

function judgeLedger(ledger: Ledger, boot: BootAccounts | undefined, settling: Settling): Judged {
  const { stretches, mark } = ledger;
  const place = {
    check: 'boots',
    topic: settling.topicPrefix + ledger.topic,
    partition: ledger.partition,
    boot: ledger.boot,
    ...(boot === undefined ? {} : { collector: boot.collector }),
  } as const;
  const holes = holesOf(ledger, boot);
  const sent = mark === undefined ? 0 : mark.last_records - mark.base_records;
  const inside = stretches.reduce((sum, stretch) => sum + stretch.inside, ledger.lost);
  const differences: Difference[] = holes.map(({ first, last }) => ({
    ...place,
    kind: 'missing_batches',
    first_sequence: first,
    last_sequence: last,
    expected: last - first + 1,
    found: 0,
    words: missingWords(last - first + 1, holes.length === 1 ? sent - inside : 0),
  }));
  for (const { doubled, doubled_first: first, doubled_last: last } of stretches) {
    if (doubled === 0) continue;
    differences.push({
      ...place,
      kind: 'doubled_batches',
      first_sequence: first,
      last_sequence: last,
      expected: doubled,
      found: 2 * doubled,
      words: `${count(doubled, 'batch', 'batches')} stored by two blocks`,
    });
  }
  if (boot === undefined) return { boot: ledger.boot, differences, pending: 0 };
  const reached = Math.max(baseOf(ledger, boot), stretches.at(-1)?.last_sequence ?? -1);
  const tail = judgeTail(place, ledger, { boot, reached, settling });
  if (holes.length === 0 && mark !== undefined && reached >= mark.last_sequence) {
    differences.push(...sumDifferences(place, mark, inside, stretches));
  }
  return { boot: ledger.boot, differences: [...differences, ...tail.differences], pending: tail.pending };
}

type Place = Pick<Difference, 'check' | 'topic' | 'partition' | 'boot' | 'collector'>;

/** The sequence up to which the look does not reach back; -1 where it holds the boot's first. */
function baseOf({ mark, stretches }: Ledger, boot: BootAccounts | undefined): number {
  // Accounts name every partition that was ever sent to.
  if (boot !== undefined) return mark?.base_sequence ?? -1;
  return (stretches[0]?.first_sequence ?? 0) - 1;
}

function holesOf(ledger: Ledger, boot: BootAccounts | undefined): { first: number; last: number }[] {
  const holes: { first: number; last: number }[] = [];
  let reached = baseOf(ledger, boot);
  for (const { first_sequence: first, last_sequence: last } of ledger.stretches) {
    if (first > reached + 1) holes.push({ first: reached + 1, last: first - 1 });
    reached = Math.max(reached, last);
  }
  return holes;
}

function missingWords(batches: number, records: number): string {
  const lost = records > 0 ? ` (${count(records, 'record', 'records')})` : '';
  return `${count(batches, 'batch', 'batches')}${lost} sent but not in the ledger, while later ones are`;
}

/** What lies behind the last batch stored, or behind the last account. */
function judgeTail(
  place: Place,
  { mark, topic, stretches }: Ledger,
  { boot, reached, settling }: { boot: BootAccounts; reached: number; settling: Settling },
): { differences: readonly Difference[]; pending: number } {
  const { nowMs, settleMs } = settling;
  const sentTo = mark?.last_sequence ?? -1;
  const heardMs = Math.max(boot.last_time, stretches.at(-1)?.appended_last ?? 0);
  const settled = nowMs - heardMs >= settleMs;
  const missing = sentTo - reached;
  if (missing > 0) {
    if (!settled) return { differences: [], pending: missing };
    const words = `${count(missing, 'batch', 'batches')} that the collector logged to be sent never came`;
    const range = { first_sequence: reached + 1, last_sequence: sentTo };
    return {
      differences: [{ ...place, kind: 'unsent_batches', ...range, expected: missing, found: 0, words }],
      pending: 0,
    };
  }
  if (topic === ACCOUNT_TOPIC || missing === 0 || !(boot.ended || settled)) {
    return { differences: [], pending: 0 };
  }
  const words = `${count(-missing, 'batch', 'batches')} stored that no account vouches for`;
  const range = { first_sequence: sentTo + 1, last_sequence: reached };
  return {
    differences: [{ ...place, kind: 'unvouched_batches', ...range, expected: 0, found: -missing, words }],
    pending: 0,
  };
}

/** An interval that reaches over an end of what is compared counts in part: nobody knows which. */
function sumDifferences(
  place: Place,
  mark: Mark,
  inside: number,
  stretches: readonly BatchStretch[],
): Difference[] {
  const sent = mark.last_records - mark.base_records;
  const most = stretches.reduce((sum, { astride }) => sum + astride, inside);
  if (inside <= sent && sent <= most) return [];
  const range = { first_sequence: mark.base_sequence + 1, last_sequence: mark.last_sequence };
  const found = sent < inside ? inside : most;
  const words = `the account says ${count(sent, 'record', 'records')} in these batches, the ledger ${found.toLocaleString('en-US')}`;
  return [{ ...place, kind: 'record_sum', ...range, expected: sent, found, words }];
}

function judgeUnaccounted(
  boot: string,
  stretches: readonly BatchStretch[],
  { nowMs, settleMs }: Settling,
): Judged {
  const newestMs = stretches.reduce((newest, { appended_last: at }) => Math.max(newest, at), 0);
  const batches = stretches.reduce((sum, at) => sum + at.last_sequence - at.first_sequence + 1, 0);
  if (nowMs - newestMs < settleMs) return { boot, differences: [], pending: batches };
  const words = `${count(batches, 'batch', 'batches')} stored, and no account of this boot`;
  const difference = {
    check: 'boots',
    kind: 'no_account',
    boot,
    expected: 0,
    found: batches,
    words,
  } as const;
  return { boot, differences: [difference], pending: 0 };
}

/** What a boot took after its last account nobody knows until it said goodbye, or its collector starts again. */
function judgeSilence(boot: BootAccounts, { nowMs, settleMs }: Settling): Difference[] {
  if (boot.ended || nowMs - boot.last_time < settleMs) return [];
  const since = new Date(boot.last_time).toISOString();
  return [
    {
      check: 'boots',
      kind: 'silent_boot',
      collector: boot.collector,
      boot: boot.boot,
      expected: 1,
      found: 0,
      words: `no account since ${since}, and none that was the last`,
    },
  ];
}

function count(number: number, one: string, many: string): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? one : many}`;
}
