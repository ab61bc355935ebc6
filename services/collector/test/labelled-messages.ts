/*
 * The labelled messages, and how scrubbing does on them. A labelled piece is gone when every character of it is;
 * a piece taken out is right when it took nothing but labelled characters and bears the label's kind.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { findPersonalSpans } from '../src/intake/scrub-text.js';

/** `spans`: kind and text of each piece to take out, in the order of the text. */
export type LabelledMessage = {
  readonly text: string;
  readonly spans: readonly (readonly [kind: string, piece: string])[];
};

export type Tally = { labelled: number; gone: number; found: number; right: number };

export function readLabelled(file: string): LabelledMessage[] {
  const lines = readFileSync(new URL(file, import.meta.url), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as LabelledMessage);
}

/** One tally for each kind. */
export function measureScrubbing(messages: readonly LabelledMessage[]): Map<string, Tally> {
  const tallies = new Map<string, Tally>();
  const tallyOf = (kind: string): Tally => {
    const tally = tallies.get(kind) ?? { labelled: 0, gone: 0, found: 0, right: 0 };
    tallies.set(kind, tally);
    return tally;
  };
  for (const message of messages) {
    const wanted = placed(message);
    const found = findPersonalSpans(message.text);
    const label = new Uint8Array(message.text.length);
    const taken = new Uint8Array(message.text.length);
    for (const { start, end } of wanted) label.fill(1, start, end);
    for (const { start, end } of found) taken.fill(1, start, end);
    for (const { kind, start, end } of wanted) {
      tallyOf(kind).labelled += 1;
      if (!taken.subarray(start, end).includes(0)) tallyOf(kind).gone += 1;
    }
    for (const { kind, start, end } of found) {
      const meant = wanted.some((each) => each.kind === kind && each.start < end && start < each.end);
      tallyOf(kind).found += 1;
      if (meant && !label.subarray(start, end).includes(0)) tallyOf(kind).right += 1;
    }
  }
  return tallies;
}

function placed({ text, spans }: LabelledMessage): { kind: string; start: number; end: number }[] {
  let end = 0;
  return spans.map(([kind, piece]) => {
    const start = text.indexOf(piece, end);
    assert(start !== -1, `the label ${piece} is not in its message`);
    end = start + piece.length;
    return { kind, start, end };
  });
}
