/* Rows of NDJSON: a JSON object a line, as the body of a creation. Empty lines are left out. */
import { type ImportRow, LINE_BYTES_MAX, unreadableRow } from './import-row.js';

const NEW_LINE = 0x0a;

export async function* ndjsonRows(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ImportRow> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = Buffer.alloc(0);
  let line = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = bytes.indexOf(NEW_LINE); end !== -1; end = bytes.indexOf(NEW_LINE, from)) {
      line++;
      yield* rowOf(bytes.subarray(from, end), line, decoder);
      from = end + 1;
    }
    rest = bytes.subarray(from);
    if (rest.length > LINE_BYTES_MAX) {
      yield unreadableRow(
        line + 1,
        `this line has more than ${LINE_BYTES_MAX} bytes: it and what follows was not read, give an application a line`,
      );
      return;
    }
  }
  yield* rowOf(rest, line + 1, decoder);
}

function* rowOf(
  bytes: Uint8Array,
  line: number,
  decoder: InstanceType<typeof TextDecoder>,
): Generator<ImportRow> {
  let text: string;
  try {
    text = decoder.decode(bytes).trim();
  } catch {
    yield unreadableRow(line, 'the line is not UTF-8: convert the file');
    return;
  }
  if (text === '') return;
  try {
    yield { line, given: JSON.parse(text) };
  } catch {
    yield unreadableRow(line, 'the line is not JSON: give an object as the body of a creation');
  }
}
