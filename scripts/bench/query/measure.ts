/*
 * Asks the query service over HTTP as a caller does, and keeps times, rows and bytes.
 */
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { say } from '../figure.js';
import { percentile } from '../statistics.js';
import type { Case } from './cases.js';

export type Measured = {
  readonly case: Case;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly againMs: number | undefined;
  /** That the store read, of the last answer. */
  readonly rows: number;
  readonly bytes: number;
};

export type Caller = { readonly url: string; readonly token: string };

const Cost = Type.Object({ cost: Type.Object({ rows: Type.Number(), bytes: Type.Number() }) });
/** A case that has taken so long is not asked again. */
const CASE_MS_MAX = 12_000;

type Kept = {
  readonly ms: number[];
  readonly againMs: number[];
  cost: { rows: number; bytes: number };
  failed: boolean;
};

/** Asks all cases one after another, in rounds, so that no answer is asked again while the service remembers it. */
export async function measureCases(
  caller: Caller,
  cases: readonly Case[],
  rounds: number,
): Promise<Measured[]> {
  const kept = new Map<Case, Kept>(
    cases.map((each) => [each, { ms: [], againMs: [], cost: { rows: 0, bytes: 0 }, failed: false }]),
  );
  // The first round is not counted: marks and indexes are read from disk then.
  for (let round = 0; round <= rounds; round++) {
    for (const [each, own] of kept) {
      const tookMs = own.ms.reduce((sum, ms) => sum + ms, 0);
      if (own.failed || tookMs > CASE_MS_MAX) continue;
      await askOnce(caller, each, own, round > 0);
    }
    if (round % 5 === 0) say(`  round ${round} of ${rounds}`);
  }
  return [...kept].map(([each, { ms, againMs, cost, failed }]) => ({
    case: each,
    p50Ms: failed ? Number.NaN : percentile(ms, 0.5),
    p95Ms: failed ? Number.NaN : percentile(ms, 0.95),
    againMs: each.againMs === undefined || failed ? undefined : percentile(againMs, 0.95),
    ...cost,
  }));
}

const Groups = Type.Object({ data: Type.Object({ groups: Type.Array(Type.Object({ id: Type.String() })) }) });

/** The id of a group of exceptions of the last day, where there is one, by the path of the question that lists them. */
export async function readFirstGroup({ url, token }: Caller, path: string): Promise<string | undefined> {
  const response = await fetch(`${url}${path}?from=now-24h`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const [first] = Value.Parse(Groups, await response.json()).data.groups;
  return first?.id;
}

async function askOnce(caller: Caller, each: Case, own: Kept, isCounted: boolean): Promise<void> {
  const answer = await ask(caller, each.path);
  if (answer.failure !== undefined) {
    own.failed = true;
    say(`  ${each.name}: ${answer.failure}`);
    return;
  }
  if (answer.cost !== undefined) own.cost = answer.cost;
  if (isCounted) own.ms.push(answer.ms);
  if (each.againMs !== undefined) own.againMs.push((await ask(caller, each.path)).ms);
}

async function ask(
  { url, token }: Caller,
  path: string,
): Promise<{ ms: number; cost?: Kept['cost']; failure?: string }> {
  const startMs = performance.now();
  const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
  const text = await response.text();
  const ms = performance.now() - startMs;
  if (!response.ok) return { ms, failure: `${response.status} ${text.slice(0, 300)}` };
  const body: unknown = JSON.parse(text);
  return Value.Check(Cost, body) ? { ms, cost: body.cost } : { ms };
}
