/* What an export is made of: lines of JSON, each with the time by which it must be gone. */

export type ExportLine = {
  /** JSON, without the end of the line. */
  readonly json: string;
  /** Latest time of the object that holds it, epoch milliseconds. */
  readonly endsMs: number;
};

/** What was in an export, complete once its content has ended. */
export type ExportFigures = { rowCount: number; endsMs: number };

/** Small lines in one piece for the compression: 64 kB. */
const CHUNK_CHARACTERS = 65_536;

/** The text of the lines; counts them, and keeps the earliest end. */
export async function* contentOf(
  lines: AsyncIterable<ExportLine>,
  figures: ExportFigures,
): AsyncGenerator<Buffer> {
  let chunk = '';
  for await (const { json, endsMs } of lines) {
    figures.rowCount += 1;
    if (endsMs < figures.endsMs) figures.endsMs = endsMs;
    chunk += `${json}\n`;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    yield Buffer.from(chunk);
    chunk = '';
  }
  if (chunk !== '') yield Buffer.from(chunk);
}
