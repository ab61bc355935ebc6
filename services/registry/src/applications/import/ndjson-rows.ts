/* Rows of NDJSON: a JSON object a line, as the body of a creation. Empty lines are left out. */
import { type ImportRow, unreadableRow } from './import-row.js';
import { decodeText, LINE_BYTES_MAX, textLines } from './text-lines.js';

export async function* ndjsonRows(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ImportRow> {
  for await (const found of textLines(chunks)) {
    const { line } = found;
    if ('isTooLong' in found) {
      const message = `this line has more than ${LINE_BYTES_MAX} bytes: it and what follows was not read, give an application a line`;
      yield unreadableRow(line, message);
      return;
    }
    const text = decodeText(found.bytes)?.trim();
    if (text === undefined) yield unreadableRow(line, 'the line is not UTF-8: convert the file');
    else if (text !== '') yield readRow(text, line);
  }
}

function readRow(text: string, line: number): ImportRow {
  try {
    return { line, given: JSON.parse(text) };
  } catch {
    return unreadableRow(line, 'the line is not JSON: give an object as the body of a creation');
  }
}
