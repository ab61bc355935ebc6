/*
 * How complete an answer is, as text: complete; arriving, and up to when; how much of it is stored; or which collector
 * is silent, and since when.
 */
import type { Completeness } from '@imscope/schemas/query-api/envelope.js';
import { formatSuccessRate } from './format-number.js';
import { formatClock, formatUtc } from './format-time.js';
import { texts } from './texts.js';

export type CompletenessText = {
  readonly text: string;
  /** What it means, in a sentence. */
  readonly meaning: string;
  /** Whether somebody should look. */
  readonly loud: boolean;
};

/** Lines of a tooltip. */
const SILENT_SHOWN_MAX = 20;

/**
 * With the bounds of the success rate where records are missing, and the reason of the verdict.
 * @param toMs the end of the window that was asked about
 */
export function completenessText(
  completeness: Completeness,
  toMs: number,
  nowMs: number,
  zone?: string,
): CompletenessText {
  const { completeness: words } = texts.header;
  const { text, meaning, loud } = stateText(completeness, toMs, nowMs, zone);
  const { success_rate: bounds, missing_max: missing, verdict, retired } = completeness;
  const isBounded = bounds !== undefined && bounds !== null && (missing ?? 0) > 0;
  const meanings = [
    meaning,
    ...(retired === undefined ? [] : [words.retired(retired.collectors, retired.lost_max)]),
    ...(isBounded ? [words.boundsMeaning(missing ?? 0)] : []),
    ...(verdict === undefined ? [] : [words.verdict(verdict.fault, verdict.reason)]),
  ];
  return {
    text: isBounded
      ? `${text}${words.bounds(formatSuccessRate(bounds.least), formatSuccessRate(bounds.greatest))}`
      : text,
    meaning: meanings.join('\n'),
    loud: loud || verdict?.fault === 'telemetry_fault',
  };
}

function stateText(
  completeness: Completeness,
  toMs: number,
  nowMs: number,
  zone: string | undefined,
): CompletenessText {
  const { completeness: words } = texts.header;
  const { status, ratio, watermark, silent_collectors: silent } = completeness;
  if (silent.length > 0) return silentText(completeness, nowMs, zone);
  if (status === 'complete') return { text: words.complete, meaning: words.completeMeaning, loud: false };
  if (status === 'unknown') return { text: words.unknown, meaning: words.unknownMeaning, loud: false };
  const markMs = watermark === null ? Number.NaN : Date.parse(watermark);
  const upTo = markMs < toMs ? words.upTo(formatClock(markMs, nowMs, zone)) : '';
  const stored = Number.isNaN(markMs) ? '' : words.storedUpTo(formatUtc(markMs));
  if (ratio !== null && ratio < 1) {
    return {
      text: words.partly(formatSuccessRate(ratio), upTo),
      meaning: words.partlyMeaning(stored),
      loud: true,
    };
  }
  return { text: words.arriving(upTo), meaning: words.arrivingMeaning(stored), loud: false };
}

function silentText(
  { silent_collectors: silent, silent_collectors_left_out: leftOut = 0 }: Completeness,
  nowMs: number,
  zone: string | undefined,
): CompletenessText {
  const { completeness: words } = texts.header;
  const [first] = silent;
  const since = first === undefined ? '' : formatClock(Date.parse(first.last_heard), nowMs, zone);
  const total = silent.length + leftOut;
  const shown = silent
    .slice(0, SILENT_SHOWN_MAX)
    .map(({ collector, boot, last_heard: heard }) => words.silentCollector(collector, boot, heard));
  return {
    text: words.silent(first?.collector ?? '', since, total - 1),
    meaning: words.silentMeaning(shown, total - shown.length),
    loud: true,
  };
}
