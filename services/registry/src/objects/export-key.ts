/* Where the objects of exports are: by application, so that a purge finds them without their rows. */
import { OBJECT_ROOMS } from './object-store.js';

const OF_SEVERAL = 'several';

/** @param sdkAppId null: of several applications */
export function exportKey(id: string, sdkAppId: number | null): string {
  return `${OBJECT_ROOMS.exports}${sdkAppId ?? OF_SEVERAL}/${id}.ndjson.gz`;
}

/** Beginnings of the keys of all exports that may hold something of this application. */
export function exportPrefixesOf(sdkAppId: number): string[] {
  return [sdkAppId, OF_SEVERAL].map((name) => `${OBJECT_ROOMS.exports}${name}/`);
}
