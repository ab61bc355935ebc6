/* An export as it is answered, with a fresh link. */
import type { Export } from '@imscope/schemas/registry-api/records.js';
import type { ObjectStore } from '../objects/object-store.js';
import type { ExportTable } from '../rows/tables.js';

/** How long a link can be used: it is answered when it is wanted. */
export const LINK_MS = 600_000;
/** S3 counts links in seconds. */
const LINK_MS_MIN = 1_000;

/** The link ends with the export at the latest. */
export async function exportAnswer(
  objects: Pick<ObjectStore, 'signedUrl'>,
  row: ExportTable,
  nowMs: number,
): Promise<Export> {
  const validMs = Math.min(LINK_MS, row.ends_ms - nowMs);
  const url = validMs < LINK_MS_MIN ? null : await objects.signedUrl(row.object_key, { nowMs, validMs });
  return {
    id: row.id,
    kind: row.kind,
    sdk_app_id: row.sdk_app_id,
    created_at: new Date(row.created_ms).toISOString(),
    author: row.author,
    rows: row.row_count,
    bytes: row.byte_count,
    ends_at: new Date(row.ends_ms).toISOString(),
    url,
  };
}
