/* Text for a terminal: bounded, without control characters, coloured only on a terminal. */
import { styleText } from 'node:util';

export type TerminalStyle = {
  /** Undefined where the output is no terminal: then nothing is cut or wrapped. */
  readonly columns: number | undefined;
  readonly colours: boolean;
};

/** Text of others, safe for a terminal. */
export function printable(text: string, lengthMax: number): string {
  const clean = text.replaceAll(/\p{C}/gu, '\uFFFD');
  return clean.length > lengthMax ? `${clean.slice(0, lengthMax - 1)}…` : clean;
}

/** Keeps both ends, for ids that differ at either. */
export function fitMiddle(text: string, width: number): string {
  if (text.length <= width) return text;
  const tail = Math.floor((width - 1) / 2);
  return `${text.slice(0, width - 1 - tail)}…${text.slice(text.length - tail)}`;
}

export function paint(
  { colours }: TerminalStyle,
  colour: 'bold' | 'dim' | 'red' | 'green' | 'yellow',
  text: string,
): string {
  return colours ? styleText(colour, text) : text;
}

/** Breaks a line at blanks, and indents what follows under the first line's text. */
export function wrap({ columns }: TerminalStyle, line: string, indent: number): string {
  if (columns === undefined || line.length < columns) return line;
  const lines: string[] = [''];
  // The head of the line may hold runs of blanks that align it.
  const head = line.slice(0, indent);
  for (const word of line.slice(indent).split(' ')) {
    const last = lines.at(-1) ?? '';
    const longer = last === '' ? word : `${last} ${word}`;
    if (indent + longer.length < columns || last === '') lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((part, index) => (index === 0 ? head : ' '.repeat(indent)) + part).join('\n');
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** Never more than 6 places: `99,999`, `784k`, `1.0M`. */
export function shortCount(value: number): string {
  if (value < 100_000) return count(value);
  return value < 999_500 ? `${Math.round(value / 1_000)}k` : `${(value / 1e6).toFixed(1)}M`;
}

export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds}s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)}m` : `${Math.round(seconds / 3_600)}h`;
}
