/* What became of each dead letter in a redrive, for a terminal, and as lines of JSON. */
import { type DeadLetter, formatPlace } from './dead-letter-entry.js';
import type { RedriveOutcome } from './redrive.js';
import { type TerminalStyle, paint, plural, printable, wrap } from './terminal-text.js';

const PLACE_WIDTH = 10;
const WORD_WIDTH = 15;

export function describeOutcome(letter: DeadLetter, outcome: RedriveOutcome, style: TerminalStyle): string {
  const { colour, word, text } = wordsOf(outcome);
  const place = formatPlace(letter.place).padEnd(PLACE_WIDTH);
  const line = wrap(
    style,
    `${place}${word.padEnd(WORD_WIDTH)}${printable(text, 1_000)}`,
    PLACE_WIDTH + WORD_WIDTH,
  );
  return `${line.replace(word, paint(style, colour, word))}\n`;
}

function wordsOf(outcome: RedriveOutcome): { colour: 'green' | 'dim' | 'red'; word: string; text: string } {
  if (outcome.kind === 'refused') {
    return { colour: 'red', word: 'refused', text: `${outcome.reason}: ${outcome.text}` };
  }
  if (outcome.kind === 'stored') {
    return { colour: 'dim', word: 'stored', text: 'its batch is in the ledger already' };
  }
  if (outcome.kind === 'waiting') {
    return { colour: 'dim', word: 'waiting', text: 'a copy is in the log already and will be stored' };
  }
  const { records, topic, partition, offset, mended } = outcome;
  const how = mended ? ', with new headers' : '';
  const where = offset === undefined ? `${topic} ${partition}` : `${topic} ${partition}:${offset}`;
  const word = offset === undefined ? 'would redrive' : 'redriven';
  return { colour: 'green', word, text: `${plural(records, 'record')} to ${where}${how}` };
}

export function outcomeAsJson({ place, reason }: DeadLetter, outcome: RedriveOutcome): string {
  const { kind, ...rest } = outcome;
  const refused = outcome.kind === 'refused' ? { refusal: outcome.reason, words: outcome.text } : rest;
  return `${JSON.stringify({ place: formatPlace(place), died_of: reason, outcome: kind, ...refused })}\n`;
}

/** How many letters had each outcome, most first. */
export class OutcomeTally {
  readonly #counts = new Map<string, number>();
  #letters = 0;
  #refused = 0;

  add(outcome: RedriveOutcome): void {
    this.#letters += 1;
    const refused = outcome.kind === 'refused';
    if (refused) this.#refused += 1;
    const end = refused ? `refused (${outcome.reason})` : ENDS[outcome.kind];
    this.#counts.set(end, (this.#counts.get(end) ?? 0) + 1);
  }

  get refused(): number {
    return this.#refused;
  }

  toString(): string {
    const ends = [...this.#counts]
      .toSorted(([, a], [, b]) => b - a)
      .map(([end, letters]) => `${letters} ${end}`);
    return `${plural(this.#letters, 'letter')}${ends.length === 0 ? '' : `: ${ends.join(', ')}`}`;
  }
}

const ENDS = {
  redriven: 'redriven',
  would_redrive: 'would be redriven',
  stored: 'stored already',
  waiting: 'waiting in the log',
} as const;
