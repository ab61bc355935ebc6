/*
 * Reads sets of labelled messages: CSV, compressed or not, with the columns `Content` and `EventId`, as LogHub has them.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { parse } from 'csv-parse/sync';

export type LabelledMessage = { readonly content: string; readonly label: string };
export type LabelledSet = { readonly name: string; readonly messages: readonly LabelledMessage[] };

const CSV = /\.csv(?:\.gz)?$/;
/** The size of a set once decompressed: the full sets of LogHub have up to a gigabyte, those of 2,000 lines below one megabyte. */
const SET_BYTES_MAX = 512 << 20;

/** Every set of the folder, by name; files without the two columns are left out. Throws where there is no set. */
export async function readLabelledSets(directory: string): Promise<readonly LabelledSet[]> {
  const files = (await readdir(directory)).filter((file) => CSV.test(file)).toSorted();
  const sets = await Promise.all(files.map((file) => readLabelledSet(join(directory, file))));
  const found = sets.filter((set) => set !== undefined);
  if (found.length === 0) {
    throw new Error(`${directory} holds no *.csv or *.csv.gz with the columns Content and EventId`);
  }
  return found;
}

/** @returns undefined where the file has not both columns */
export async function readLabelledSet(path: string): Promise<LabelledSet | undefined> {
  const bytes = await readFile(path);
  const text = path.endsWith('.gz')
    ? await promisify(gunzip)(bytes, { maxOutputLength: SET_BYTES_MAX })
    : bytes;
  const [header = [], ...rows] = parse(text, { bom: true, relax_column_count: true });
  const contentAt = header.indexOf('Content');
  const labelAt = header.indexOf('EventId');
  if (contentAt < 0 || labelAt < 0) return undefined;
  const messages = rows.map((row) => ({ content: row[contentAt] ?? '', label: row[labelAt] ?? '' }));
  return { name: setName(path), messages };
}

/** `Apache_2k.log_structured_corrected.csv.gz` is `apache`. */
function setName(path: string): string {
  const [name = ''] = basename(path)
    .replace(CSV, '')
    .split(/_2k|_full|\.log|_structured/);
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');
}
