/*
 * How long data is kept, and the sums that must fit into it. For each kind of data:
 *
 *   lateness + time at the edge + topic retention + one segment <= term
 *
 * Lateness is how old an event may be when it is accepted; time at the edge is how long a batch may wait for Kafka;
 * Kafka deletes complete segments, so a message outlives the topic's retention by up to one segment. A dead letter holds
 * a message of any kind, so its topic's retention and segment come on top of that kind's sum.
 */
export const HOUR_MS = 3_600_000;

/** What is promised, in hours from the event time; the TTL of the kind's table. */
export const TERM_HOURS = { requestLog: 168, interfaceMetric: 48, edgeAccount: 168 } as const;
export type DataKind = keyof typeof TERM_HOURS;
/** The ledger holds nothing personal and outlives the logs it accounts for. */
export const LEDGER_TERM_HOURS = 336;
export type TopicKind = DataKind | 'deadLetter';

/** Calendar months in UTC from the end of an application until its configuration is deleted. */
export const CONFIGURATION_TERM_MONTHS = 2;

/** A term for people: "7 days", or "36 hours" where it is no multiple of a day. */
export function termText(hours: number): string {
  return hours % 24 === 0 ? `${hours / 24} days` : `${hours} hours`;
}

/** Tables and the views that readers go through, each with the column its term runs from. */
export const STORE_TERMS: readonly {
  readonly kind: 'table' | 'view';
  readonly name: string;
  readonly column: string;
  readonly hours: number;
}[] = [
  { kind: 'table', name: 'request_log', column: 'time', hours: TERM_HOURS.requestLog },
  { kind: 'view', name: 'request_log_kept', column: 'time', hours: TERM_HOURS.requestLog },
  { kind: 'table', name: 'interface_metric', column: 'window_start', hours: TERM_HOURS.interfaceMetric },
  { kind: 'view', name: 'interface_metric_kept', column: 'window_start', hours: TERM_HOURS.interfaceMetric },
  { kind: 'table', name: 'hour_rollup', column: 'window_start', hours: TERM_HOURS.interfaceMetric },
  { kind: 'view', name: 'hour_rollup_kept', column: 'window_start', hours: TERM_HOURS.interfaceMetric },
  { kind: 'table', name: 'hour_rollup_build', column: 'window_start', hours: TERM_HOURS.interfaceMetric },
  { kind: 'view', name: 'hour_rollup_build_kept', column: 'window_start', hours: TERM_HOURS.interfaceMetric },
  { kind: 'table', name: 'edge_account', column: 'time', hours: TERM_HOURS.edgeAccount },
  { kind: 'view', name: 'edge_account_kept', column: 'time', hours: TERM_HOURS.edgeAccount },
  { kind: 'table', name: 'block_ledger', column: 'last_appended', hours: LEDGER_TERM_HOURS },
];

/** How late an event may be to be counted in a metric, whatever is accepted as a log. */
export const METRIC_LATE_HOURS_MAX = 1;
/** How long batches of metrics and of accounts may wait at the edge; that of request logs is a setting. */
const METRIC_EDGE_WAIT_HOURS = 12;
const ACCOUNT_EDGE_WAIT_HOURS = 24;
const METRIC_TOPIC_HOURS = 24;
/** Accounts are needed as long as the logs they vouch for are in Kafka. */
const ACCOUNT_TOPIC_HOURS = 72;
export const SEGMENT_HOURS = 1;

/** The terms that a deployment may choose; environment variables of the same names in collector and aggregator. */
export type TermSettings = {
  /** How old an event may be when it is accepted. */
  readonly lateHoursMax: number;
  /** How long a batch of request logs may wait at the edge before it expires. */
  readonly edgeWaitHours: number;
  readonly requestLogTopicHours: number;
  /** Retention and segment of the dead letters' topic together. */
  readonly deadLetterHours: number;
};

export const DEFAULT_TERMS: TermSettings = {
  lateHoursMax: 24,
  edgeWaitHours: 24,
  requestLogTopicHours: 72,
  deadLetterHours: 10,
};

/** The demonstration accepts a history of six days and one hour, at the expense of the topic's retention. */
export const DEMO_TERMS: TermSettings = {
  lateHoursMax: 145,
  edgeWaitHours: 1,
  requestLogTopicHours: 20,
  deadLetterHours: 1,
};

/** How long before its append a row of a block may have happened where the ledger does not say it. */
export const EVENT_AGE_HOURS = DEFAULT_TERMS.lateHoursMax + DEFAULT_TERMS.edgeWaitHours;

const LEAST_TERMS: TermSettings = {
  lateHoursMax: 1,
  edgeWaitHours: 1,
  requestLogTopicHours: 1,
  deadLetterHours: 1,
};

/** Bounds of each setting, inclusive. Within them the sum may still exceed a term: see `termFaults`. */
export const TERM_BOUNDS: Readonly<
  Record<keyof TermSettings, { readonly min: number; readonly max: number }>
> = {
  // With all else at its least.
  lateHoursMax: {
    min: LEAST_TERMS.lateHoursMax,
    max:
      TERM_HOURS.requestLog -
      LEAST_TERMS.edgeWaitHours -
      LEAST_TERMS.requestLogTopicHours -
      SEGMENT_HOURS -
      LEAST_TERMS.deadLetterHours,
  },
  // Completeness and reconciliation search this far back for what may still come from an edge.
  edgeWaitHours: { min: LEAST_TERMS.edgeWaitHours, max: DEFAULT_TERMS.edgeWaitHours },
  // Aggregators remember batch ids this long, so that duplicates are recognised as far back as the topic reaches.
  requestLogTopicHours: { min: LEAST_TERMS.requestLogTopicHours, max: DEFAULT_TERMS.requestLogTopicHours },
  deadLetterHours: {
    min: LEAST_TERMS.deadLetterHours,
    max:
      TERM_HOURS.interfaceMetric -
      METRIC_LATE_HOURS_MAX -
      METRIC_EDGE_WAIT_HOURS -
      METRIC_TOPIC_HOURS -
      SEGMENT_HOURS,
  },
};

/** A topic's retention and segment, milliseconds; infinite where the broker deletes nothing. */
export type TopicTerms = {
  readonly retentionMs: number;
  readonly segmentMs: number;
  /** The topic's policy is not to delete: its retention is infinite whatever `retention.ms` says. */
  readonly keepsAll?: true;
};
export type TopicTermsByKind = Readonly<Record<TopicKind, TopicTerms>>;

/** The topics' terms that these settings ask for. */
export function plannedTopicTerms(settings: TermSettings): TopicTermsByKind {
  const segmentMs = SEGMENT_HOURS * HOUR_MS;
  const deadLetterMs = settings.deadLetterHours * HOUR_MS;
  const deadLetterSegmentMs = Math.min(segmentMs, deadLetterMs / 2);
  return {
    requestLog: { retentionMs: settings.requestLogTopicHours * HOUR_MS, segmentMs },
    interfaceMetric: { retentionMs: METRIC_TOPIC_HOURS * HOUR_MS, segmentMs },
    edgeAccount: { retentionMs: ACCOUNT_TOPIC_HOURS * HOUR_MS, segmentMs },
    deadLetter: { retentionMs: deadLetterMs - deadLetterSegmentMs, segmentMs: deadLetterSegmentMs },
  };
}

export type EdgeTerms = { readonly lateMs: number; readonly waitMs: number };

function edgeHours(late: number, wait: number): EdgeTerms {
  return { lateMs: late * HOUR_MS, waitMs: wait * HOUR_MS };
}

/** How old the data of each kind may be when it arrives at the edge, and how long it may wait there. */
export function edgeTerms(
  settings: Pick<TermSettings, 'lateHoursMax' | 'edgeWaitHours'>,
): Readonly<Record<DataKind, EdgeTerms>> {
  return {
    requestLog: edgeHours(settings.lateHoursMax, settings.edgeWaitHours),
    interfaceMetric: edgeHours(METRIC_LATE_HOURS_MAX, METRIC_EDGE_WAIT_HOURS),
    edgeAccount: edgeHours(0, ACCOUNT_EDGE_WAIT_HOURS),
  };
}

export type TermPart = {
  readonly what: string;
  readonly ms: number;
  /** How to bound it, where it is infinite. */
  readonly mend?: string;
};
/** How long data may exist before it is in its table or deleted, and its term. */
export type Terms = {
  readonly what: string;
  readonly parts: readonly TermPart[];
  readonly sumMs: number;
  readonly termMs: number;
};

const KIND_NAMES: Readonly<Record<DataKind, string>> = {
  requestLog: 'a request log',
  interfaceMetric: 'an interface metric',
  edgeAccount: 'an edge account',
};
const LATE_NAMES: Readonly<Record<DataKind, string>> = {
  requestLog: 'late (LATE_HOURS_MAX)',
  interfaceMetric: 'late',
  edgeAccount: 'late',
};
const WAIT_NAMES: Readonly<Record<DataKind, string>> = {
  requestLog: 'at the edge (EDGE_WAIT_HOURS)',
  interfaceMetric: 'at the edge',
  edgeAccount: 'at the edge',
};
const DATA_KINDS: readonly DataKind[] = ['requestLog', 'interfaceMetric', 'edgeAccount'];
export const TOPIC_KINDS: readonly TopicKind[] = [...DATA_KINDS, 'deadLetter'];

/**
 * The sums for every kind of data, and for dead letters of every kind.
 * @param topics as they are; undefined for a topic that does not exist, which keeps nothing
 * @param prefix of the topics' names
 */
export function termsOf(
  settings: Pick<TermSettings, 'lateHoursMax' | 'edgeWaitHours'>,
  topics: Readonly<Record<TopicKind, TopicTerms | undefined>>,
  prefix = '',
): Terms[] {
  const edge = edgeTerms(settings);
  const dead = topicParts(topics.deadLetter, prefix + TOPIC_NAMES.deadLetter);
  return DATA_KINDS.flatMap((kind) => {
    const parts: TermPart[] = [
      { what: LATE_NAMES[kind], ms: edge[kind].lateMs },
      { what: WAIT_NAMES[kind], ms: edge[kind].waitMs },
      ...topicParts(topics[kind], prefix + TOPIC_NAMES[kind]),
    ];
    const termMs = TERM_HOURS[kind] * HOUR_MS;
    const own = terms(KIND_NAMES[kind], parts, termMs);
    return dead.length === 0
      ? [own]
      : [own, terms(`a dead letter of ${KIND_NAMES[kind]}`, [...parts, ...dead], termMs)];
  });
}

/** Names of the topics, without a prefix. */
export const TOPIC_NAMES = {
  requestLog: 'im.request-log',
  interfaceMetric: 'im.interface-metric',
  edgeAccount: 'im.edge-account',
  deadLetter: 'im.dead-letter',
} as const satisfies Record<TopicKind, string>;
export type DataTopic = (typeof TOPIC_NAMES)[DataKind];

function topicParts(topic: TopicTerms | undefined, name: string): TermPart[] {
  if (topic === undefined) return [];
  const retention = topic.keepsAll
    ? { setting: 'cleanup.policy', mend: `set cleanup.policy of topic ${name} to delete` }
    : { setting: 'retention.ms', mend: `set retention.ms of topic ${name}` };
  return [
    { what: `in topic ${name} (${retention.setting})`, ms: topic.retentionMs, mend: retention.mend },
    { what: 'for its segment (segment.ms)', ms: topic.segmentMs, mend: `set segment.ms of topic ${name}` },
  ];
}

function terms(what: string, parts: readonly TermPart[], termMs: number): Terms {
  return { what, parts, sumMs: parts.reduce((sum, { ms }) => sum + ms, 0), termMs };
}

/** One sentence for each sum that exceeds its term; empty where all terms add up. */
export function termFaults(all: readonly Terms[]): string[] {
  return all
    .filter(({ sumMs, termMs }) => sumMs > termMs)
    .map(({ what, parts, sumMs, termMs }) => {
      const sum = parts.map((part) => `${hoursText(part.ms)} ${part.what}`).join(' + ');
      const mends = parts.flatMap(({ ms, mend }) =>
        Number.isFinite(ms) || mend === undefined ? [] : [mend],
      );
      const advice = mends.length === 0 ? `lower these by ${hoursText(sumMs - termMs)} h` : mends.join(', ');
      return `${what} may be kept ${hoursText(sumMs)} h, allowed are ${hoursText(termMs)} h: ${sum}; ${advice}`;
    });
}

/** One sentence for each term that these settings break, whatever the topics are now. */
export function settingFaults(settings: TermSettings): string[] {
  return termFaults(termsOf(settings, plannedTopicTerms(settings)));
}

function hoursText(ms: number): string {
  return Number.isFinite(ms) ? String(Number((ms / HOUR_MS).toFixed(2))) : 'unlimited';
}
