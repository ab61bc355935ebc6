/*
 * Records of CSV (RFC 4180), each parsed by itself, so that a bad one takes no other with it: a streaming parser in which
 * a quote is not closed swallows what follows up to the next quote.
 */
import { parse } from 'csv-parse/sync';
import { decodeText, textLines } from './text-lines.js';

export type CsvRecord =
  /** `line`: where it begins. */
  | { readonly line: number; readonly cells: readonly string[] }
  | { readonly line: number; readonly fault: string };

/** Lines of one record: a quoted cell may hold line breaks. */
const RECORD_LINES_MAX = 100;

type Line = { readonly line: number; readonly text: string; readonly hasOpenQuote: boolean };

export async function* csvRecords(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<CsvRecord> {
  let open: Line[] = [];
  for await (const found of textLines(chunks)) {
    const { line } = found;
    const text = 'isTooLong' in found ? undefined : decodeText(found.bytes)?.replace(/\r$/, '');
    if (text === undefined) {
      yield* drain(open);
      open = [];
      const isTooLong = 'isTooLong' in found;
      yield {
        line,
        fault: isTooLong
          ? 'the line is too long: it and what follows was not read'
          : 'the line is not UTF-8: convert the file',
      };
      continue;
    }
    // The second double quote of a pair inside a cell counts too, so pairs do not matter.
    const quotes = text.split('"').length - 1;
    open.push({
      line,
      text: line === 1 ? text.replace(/^\uFEFF/, '') : text,
      hasOpenQuote: quotes % 2 === 1,
    });
    open = yield* closed(open);
  }
  yield* drain(open);
}

/** Yields the record that ends with the last line, if one does. @returns the lines that are still open */
function* closed(open: Line[]): Generator<CsvRecord, Line[]> {
  const isOpen = open.filter(({ hasOpenQuote }) => hasOpenQuote).length % 2 === 1;
  if (isOpen && open.length < RECORD_LINES_MAX) return open;
  const [first, ...rest] = open;
  if (first === undefined) return [];
  const record = isOpen
    ? { line: first.line, fault: `a quote is not closed within ${RECORD_LINES_MAX} lines` }
    : parseRecord(open);
  if (record === undefined) return [];
  yield record;
  // Only the first line is bad: those after it may be records.
  return 'fault' in record ? yield* drainedLines(rest) : [];
}

function* drainedLines(lines: readonly Line[]): Generator<CsvRecord, Line[]> {
  let open: Line[] = [];
  for (const line of lines) open = yield* closed([...open, line]);
  return open;
}

/** The file ends: a quote that is open now is never closed. */
function* drain(lines: readonly Line[]): Generator<CsvRecord> {
  let open: readonly Line[] = lines;
  while (open.length > 0) {
    const [first, ...rest] = open;
    if (first !== undefined) yield { line: first.line, fault: 'a quote is not closed' };
    open = yield* drainedLines(rest);
  }
}

/** Undefined for an empty line. */
function parseRecord(lines: readonly Line[]): CsvRecord | undefined {
  const [first] = lines;
  const text = lines.map((line) => line.text).join('\n');
  if (first === undefined || text.trim() === '') return undefined;
  try {
    const [cells = []] = parse(text, { relax_column_count: true, record_delimiter: [] });
    return { line: first.line, cells };
  } catch {
    return {
      line: first.line,
      fault: 'the row is not CSV: quote a whole cell, and write a quote inside it twice',
    };
  }
}
