/* The versions of an application's state, in MongoDB or in rows. */
import type { DocumentStore } from '../documents/document-store.js';
import type { PurgeStep } from './purge-places.js';

/** More than an application keeps (applications/write-change.ts). */
const VERSIONS_MAX = 10_000;

export function purgeDocuments(documents: Pick<DocumentStore, 'list' | 'deleteApplication'>): PurgeStep {
  const count = async (sdkAppId: number): Promise<number> => {
    const page = { versionMax: Number.MAX_SAFE_INTEGER, limit: VERSIONS_MAX };
    return (await documents.list(sdkAppId, page)).length;
  };
  return async ({ sdkAppId }, found) => {
    const deleted = await count(sdkAppId);
    await found(deleted);
    await documents.deleteApplication(sdkAppId);
    const left = await count(sdkAppId);
    if (left > 0) return { kind: 'open', reason: `${left} versions are left: something still writes them` };
    return { kind: 'done', deleted };
  };
}
