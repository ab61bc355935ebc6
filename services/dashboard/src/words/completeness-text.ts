/*
 * How complete an answer is, in words that are read at a glance: complete; arriving, and up to when; how much of it is
 * stored; or which collector is silent, and since when.
 */
import type { Completeness } from '@imscope/schemas/query-api/answers.js';
import { formatSuccessRate } from './format-number.js';
import { formatClock, formatUtc } from './format-time.js';

export type CompletenessWords = {
  readonly text: string;
  /** What it means, in a sentence. */
  readonly meaning: string;
  /** Whether somebody should look. */
  readonly loud: boolean;
};

/** Lines of a tooltip. */
const SILENT_SHOWN_MAX = 20;

/** @param toMs the end of the window that was asked about */
export function completenessWords(
  completeness: Completeness,
  toMs: number,
  nowMs: number,
  zone?: string,
): CompletenessWords {
  const { status, ratio, watermark, silent_collectors: silent } = completeness;
  if (silent.length > 0) return silentWords(completeness, nowMs, zone);
  if (status === 'complete') {
    const meaning = 'All that collectors took in during this time is stored and counted here';
    return { text: 'complete', meaning, loud: false };
  }
  if (status === 'unknown') {
    const meaning = 'No collector’s account tells what was taken in during this time';
    return { text: 'completeness not known', meaning, loud: false };
  }
  const markMs = watermark === null ? Number.NaN : Date.parse(watermark);
  const reach = markMs < toMs ? `, up to ${formatClock(markMs, nowMs, zone)}` : '';
  const stored = Number.isNaN(markMs) ? '' : `. What Kafka took up to ${formatUtc(markMs)} is stored`;
  if (ratio !== null && ratio < 1) {
    const meaning = `Of the records that collectors say they took in, the rest is missing or on its way${stored}`;
    return { text: `${formatSuccessRate(ratio)} of it stored${reach}`, meaning, loud: true };
  }
  const meaning = `Nothing is missing that collectors have told of; the last minute is on its way${stored}`;
  return { text: `arriving${reach}`, meaning, loud: false };
}

function silentWords(
  { silent_collectors: silent, silent_collectors_left_out: leftOut = 0 }: Completeness,
  nowMs: number,
  zone: string | undefined,
): CompletenessWords {
  const [first, ...others] = silent.map(({ collector, last_heard: heard }) => ({
    collector,
    since: formatClock(Date.parse(heard), nowMs, zone),
  }));
  const moreCount = others.length + leftOut;
  const more = moreCount === 0 ? '' : ` and ${moreCount.toString()} more`;
  const list = silent.map(
    ({ collector, boot, last_heard: heard }) => `${collector} (boot ${boot}): ${heard}`,
  );
  const shown = list.slice(0, SILENT_SHOWN_MAX);
  const unshown = list.length + leftOut - shown.length;
  return {
    text: `collector ${first?.collector ?? ''} silent since ${first?.since ?? ''}${more}`,
    meaning: `What it took in since then is not known. Last heard:\n${shown.join('\n')}${unshown === 0 ? '' : `\nand ${unshown.toString()} more`}`,
    loud: true,
  };
}
