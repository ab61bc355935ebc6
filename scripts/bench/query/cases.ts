/*
 * What is asked: every question of the contract, about the biggest, a middling and a tiny application and about the fleet.
 * Questions that are not named here are asked about the last 24 hours, so that a new one is measured too.
 */
import { type QuestionName, QUESTIONS } from '@imscope/schemas/query-api/questions.js';
import { FIRST_APP_ID } from './fleet-sql.js';

export type Case = {
  /** Such as `overview biggest 24h`. */
  readonly name: string;
  readonly path: string;
  /** Milliseconds of the 95th percentile at the largest size. */
  readonly goalMs: number | undefined;
  /** Answered from metrics: it may grow by half at most between the sizes. */
  readonly isFromMetrics: boolean;
  /** Asked once more within a minute, with this goal. */
  readonly againMs?: number;
};

/** By rank: the requests of an application are as many as the biggest one's, divided by its rank. */
const RANKS = { biggest: 1, middling: 50, tiny: 4_900 } as const;
type Size = keyof typeof RANKS;
const SIZES: readonly Size[] = ['biggest', 'middling', 'tiny'];

const METRICS_MS = 100;
const SEARCH_MS = 300;
/** Of 7 days less what may expire while it is asked. */
const WEEK = '167h';

type Asked = {
  readonly windows: readonly string[];
  readonly parameters?: Readonly<Record<string, string>>;
  readonly label?: string;
  readonly goalMs?: (window: string, size: Size | 'fleet') => number | undefined;
  readonly isFromMetrics?: boolean;
  readonly againMs?: number;
};

const withinTwoDays = (window: string): number | undefined => (window === WEEK ? undefined : METRICS_MS);
const biggestWeek = (window: string, size: Size | 'fleet'): number | undefined => {
  if (window !== WEEK) return METRICS_MS;
  return size === 'biggest' ? 500 : undefined;
};
const search = (): number => SEARCH_MS;

/** Questions that are asked in several ways. An empty list leaves a question out. */
const ASKED: Partial<Record<QuestionName, readonly Asked[]>> = {
  applications: [
    { windows: ['1h', '24h', '47h'], goalMs: withinTwoDays, isFromMetrics: true },
    { windows: [WEEK], goalMs: () => 2_000, againMs: 200 },
  ],
  overview: [
    { windows: ['1h', '24h', '47h'], goalMs: biggestWeek, isFromMetrics: true },
    { windows: [WEEK], goalMs: biggestWeek },
  ],
  interfaces: [
    { windows: ['1h', '24h', '47h'], goalMs: biggestWeek, isFromMetrics: true },
    { windows: [WEEK], goalMs: biggestWeek },
  ],
  timeseries: [{ windows: ['1h', '24h', '47h'], goalMs: withinTwoDays, isFromMetrics: true }],
  monitor: [{ windows: ['1h', '24h', '47h'], goalMs: withinTwoDays, isFromMetrics: true }],
  fleetTimeseries: [{ windows: ['24h', '47h'], goalMs: withinTwoDays, isFromMetrics: true }],
  breakdown: [
    {
      windows: ['24h'],
      parameters: { group_by: 'node' },
      label: 'by node',
      goalMs: (_, size) => (size === 'middling' ? 100 : undefined),
    },
    { windows: ['24h'], parameters: { group_by: 'interface' }, label: 'by interface', isFromMetrics: true },
  ],
  fleetBreakdown: [
    { windows: ['24h'], parameters: { group_by: 'node' }, label: 'by node', goalMs: () => 1_000 },
    {
      windows: ['24h'],
      parameters: { group_by: 'interface' },
      label: 'by interface',
      goalMs: () => 1_000,
      isFromMetrics: true,
    },
  ],
  exceptions: [{ windows: ['24h'], goalMs: search }],
  requests: [
    { windows: ['24h'], goalMs: search },
    { windows: ['24h'], parameters: { outcome: 'service_error' }, label: 'failed', goalMs: search },
  ],
  fleetRequests: [
    { windows: ['24h'], parameters: { outcome: 'service_error' }, label: 'failed', goalMs: search },
  ],
};
const USUAL: readonly Asked[] = [{ windows: ['24h'], goalMs: search }];

/** Answers that are streams, or that nothing in the load is about. */
const LEFT_OUT = /tail|export|stream/i;

const ROUTE_GROUP = '/:group';

/** Of the lists of the groups that questions about one group are asked of. */
export function groupPaths(): string[] {
  const paths = casesOf('').map(({ path }) => path.split('?')[0] ?? '');
  return paths.filter((path) => path.endsWith(ROUTE_GROUP)).map((path) => path.slice(0, -ROUTE_GROUP.length));
}

/**
 * @param requestId of a request that is stored, for questions about one
 * @param groups by the path of the question that lists them; a question about a group of a list without one is left out
 */
export function benchCases(requestId: string, groups: ReadonlyMap<string, string>): Case[] {
  return casesOf(requestId).flatMap((each) => {
    const [list = '', rest] = each.path.split(ROUTE_GROUP);
    if (rest === undefined) return [each];
    const group = groups.get(list);
    return group === undefined ? [] : [{ ...each, path: `${list}/${group}${rest}` }];
  });
}

/** Paths may still hold `:group`. */
function casesOf(requestId: string): Case[] {
  return Object.keys(QUESTIONS)
    .filter((name): name is QuestionName => name in QUESTIONS && !LEFT_OUT.test(name))
    .flatMap((question) => {
      const { scope } = QUESTIONS[question];
      const sizes = scope === 'fleet' ? (['fleet'] as const) : SIZES;
      return (ASKED[question] ?? USUAL).flatMap((asked) =>
        sizes.flatMap((size) =>
          asked.windows.map((window) => caseOf(question, asked, size, window, requestId)),
        ),
      );
    });
}

function caseOf(
  question: QuestionName,
  { parameters = {}, label, goalMs, isFromMetrics = false, againMs }: Asked,
  size: Size | 'fleet',
  window: string,
  requestId: string,
): Case {
  const contract = QUESTIONS[question];
  const search = new URLSearchParams(parameters);
  if ('from' in contract.query.properties) search.set('from', `now-${window}`);
  const path = contract.path
    .replace(':sdk_app_id', String(FIRST_APP_ID + RANKS[size === 'fleet' ? 'biggest' : size]))
    .replace(':request_id', requestId);
  return {
    name: [question, label, size, window === WEEK ? '7d' : window]
      .filter((part) => part !== undefined)
      .join(' '),
    path: `${path}?${search.toString()}`,
    goalMs: goalMs?.(window, size),
    isFromMetrics,
    ...(againMs === undefined ? {} : { againMs }),
  };
}
