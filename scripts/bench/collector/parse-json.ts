/*
 * The peer, a separate process: only `JSON.parse` of the same bodies, the least work of a collector in this language.
 * Texts are decoded and lines split before the clock starts.
 */
import { createBenchTraffic, makeBodies } from './bodies.js';
import type { BodyKind } from './cases.js';
import { answerParent } from './child-process.js';

export type ParseQuestion = { readonly kind: BodyKind; readonly atMs: number; readonly forMs: number };

const traffic = createBenchTraffic();
/** Keeps the result, so that the compiler does not remove the work. */
let fieldsSeen = 0;

answerParent({ answer: measureParsing });

/** @returns records per second of processor time */
async function measureParsing({ kind, atMs, forMs }: ParseQuestion): Promise<number> {
  const bodies = makeBodies(traffic, kind, atMs).map((body) => body.toString('latin1'));
  const texts = kind.format === 'json' ? bodies : bodies.flatMap((body) => body.trimEnd().split('\n'));
  const recordsInRound = bodies.length * kind.records;
  parseAll(texts);
  const startMs = performance.now();
  const before = process.cpuUsage();
  let records = 0;
  while (performance.now() - startMs < forMs) {
    parseAll(texts);
    records += recordsInRound;
  }
  const { user, system } = process.cpuUsage(before);
  return (records * 1_000_000) / (user + system);
}

function parseAll(texts: readonly string[]): void {
  for (const text of texts) {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) fieldsSeen += 1;
  }
}
