/*
 * The versions of configurations as lines, wherever they are kept. They are read after the rows of the backup: a version
 * is written before the row that names it, and never changed, so what a row names is there.
 */
import type { VersionSummary } from '@imscope/schemas/registry-api/application.js';
import type { Transaction } from 'kysely';
import type { DocumentStore, VersionDocument, VersionKey } from '../documents/document-store.js';
import type { RegistryTables } from '../rows/tables.js';

/** An application of the backup's rows, with the version in force. */
export type NamedVersion = { readonly sdkAppId: number; readonly version: number };

const PAGE = 100;
/** Reads that are under way side by side: with a database of its own each costs a round trip. */
const READS_MAX = 8;

/** One line a version, of one application after the other. `missing` is told of an application without its version. */
export async function* documentLines(
  documents: Pick<DocumentStore, 'list' | 'read'>,
  applications: Iterable<NamedVersion>,
  missing: (application: NamedVersion) => Promise<void>,
): AsyncGenerator<string> {
  const keysOf = async (application: NamedVersion): Promise<VersionKey[]> => {
    const versions = await allVersions(documents, application);
    if (versions[0]?.version !== application.version) await missing(application);
    return versions.map(({ version }) => ({ sdkAppId: application.sdkAppId, version }));
  };
  for (const some of inGroups(applications)) {
    const keys = await Promise.all(some.map(keysOf));
    for (const group of inGroups(keys.flat())) {
      const read = await Promise.all(group.map(async (key) => documents.read(key)));
      // Trimmed since the list was read; the version in force never is.
      for (const document of read) if (document !== undefined) yield JSON.stringify(document);
    }
  }
}

function* inGroups<T>(all: Iterable<T>): Generator<T[]> {
  let group: T[] = [];
  for (const one of all) {
    group.push(one);
    if (group.length < READS_MAX) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

async function allVersions(
  documents: Pick<DocumentStore, 'list'>,
  { sdkAppId, version }: NamedVersion,
): Promise<VersionSummary[]> {
  const found: VersionSummary[] = [];
  for (let versionMax = version; versionMax > 0;) {
    const page = await documents.list(sdkAppId, { versionMax, limit: PAGE });
    found.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    versionMax = last.version - 1;
  }
  return found;
}

/** Versions of one transaction: each costs a write that reaches the disk. */
const BATCH_MAX = 500;
const BATCH_CHARACTERS_MAX = 4_000_000;

export type LoadDocumentsOptions = {
  /** Applications that are left out. */
  readonly without: ReadonlySet<number>;
  readonly transact: (work: (transaction: Transaction<RegistryTables>) => Promise<void>) => Promise<void>;
};

/** Writes the versions back, of each application instead of all that it has. @returns how many */
export async function loadDocuments(
  documents: Pick<DocumentStore, 'write' | 'deleteApplication'>,
  lines: AsyncIterable<string>,
  { without, transact }: LoadDocumentsOptions,
): Promise<number> {
  let batch: VersionDocument[] = [];
  let sdkAppId: number | undefined;
  let [characters, count, number] = [0, 0, 0];
  const flush = async (): Promise<void> => {
    const versions = batch;
    [batch, characters] = [[], 0];
    if (versions.length > 0) await transact(async (transaction) => documents.write(transaction, versions));
  };
  for await (const line of lines) {
    const document = readDocument(line, ++number);
    if (without.has(document.sdkAppId)) continue;
    if (document.sdkAppId !== sdkAppId) {
      ({ sdkAppId } = document);
      await documents.deleteApplication(sdkAppId);
    }
    batch.push(document);
    characters += line.length;
    if (batch.length === BATCH_MAX || characters > BATCH_CHARACTERS_MAX) await flush();
    count++;
  }
  await flush();
  return count;
}

/** The checksum of the file was right, so only its form is looked at. */
function readDocument(line: string, number: number): VersionDocument {
  const value: unknown = JSON.parse(line);
  if (!isDocument(value)) throw new Error(`line ${number} of the documents is not a version`);
  return value;
}

function isDocument(value: unknown): value is VersionDocument {
  return (
    typeof value === 'object' &&
    value !== null &&
    'sdkAppId' in value &&
    typeof value.sdkAppId === 'number' &&
    'version' in value &&
    typeof value.version === 'number' &&
    'author' in value &&
    'reason' in value &&
    'createdMs' in value &&
    'state' in value
  );
}
