/* Makes or sweeps an export in a process of its own, which says when it has come to a step, and waits there to be killed. */
import { once } from 'node:events';
import type { DatabaseOptions } from '@imscope/state/database.js';
import { openDatabase } from '@imscope/state/database.js';
import { createRowDocuments } from '../../src/documents/row-documents.js';
import { createExport } from '../../src/exports/create-export.js';
import { sweepExports } from '../../src/exports/sweep-exports.js';
import { type BucketOptions, openBucketObjects } from '../../src/objects/bucket-objects.js';
import { openFolderObjects } from '../../src/objects/folder-objects.js';
import type { ObjectStore } from '../../src/objects/object-store.js';
import type { RegistryTables } from '../../src/rows/tables.js';

export type ExportStep = 'within the upload' | 'before the row' | 'before the answer';
export type ExportOrder = {
  readonly database: DatabaseOptions;
  readonly work: 'export' | 'sweep';
  readonly step: ExportStep;
} & ({ readonly folder: string } | { readonly bucket: BucketOptions });

const DAYS_8_MS = 8 * 86_400_000;

const [order] = (await once(process, 'message')) as [ExportOrder];
const objects: ObjectStore =
  'folder' in order ? await openFolderObjects(order.folder) : openBucketObjects(order.bucket);
const database = openDatabase<RegistryTables>(order.database);
await (order.work === 'export' ? makeExport() : sweep());
process.disconnect();

async function makeExport(): Promise<void> {
  const pausing: Pick<ObjectStore, 'putStream' | 'delete' | 'signedUrl'> = {
    ...objects,
    putStream: async (key, content, byteCountMax) => {
      const put = await objects.putStream(key, withPause(content), byteCountMax);
      await at('before the row');
      return put;
    },
    signedUrl: async (key, options) => {
      await at('before the answer');
      return objects.signedUrl(key, options);
    },
  };
  const create = createExport({
    database,
    documents: createRowDocuments(database.kysely),
    objects: pausing,
    readRequestLogs: undefined,
    applicationsKeptMs: DAYS_8_MS / 2,
    byteCountMax: 100_000_000,
  });
  await create({
    params: undefined as never,
    query: undefined as never,
    body: { kind: 'applications', reason: 'a test' },
    ifMatch: undefined,
    caller: {
      name: 'test',
      scope: 'admin',
      applications: 'all',
      tokenHash: '',
      recordsPerSecondMax: Number.POSITIVE_INFINITY,
      expiresMs: Number.POSITIVE_INFINITY,
    },
    nowMs: Date.now(),
    signal: new AbortController().signal,
  });
}

async function sweep(): Promise<void> {
  const pausing = {
    ...objects,
    delete: async (key: string) => {
      await objects.delete(key);
      await at('before the row');
    },
  };
  await sweepExports({ database, objects: pausing }, Date.now() + DAYS_8_MS);
}

/** Pauses when more than one part of an upload is on its way. */
async function* withPause(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* content;
  if (order.step !== 'within the upload') return;
  for (let part = 0; part < 20; part++) yield Buffer.alloc(1024 * 1024);
  await at('within the upload');
}

async function at(step: ExportStep): Promise<void> {
  if (step !== order.step) return;
  process.send?.(step);
  await once(process, 'message');
}
