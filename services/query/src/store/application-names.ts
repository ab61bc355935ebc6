/*
 * Names, packages and owners of applications, out of the dictionary that the registry fills. Figures do not depend on
 * them: where the dictionary cannot be read, names are empty.
 */
import type { NamedApplication } from '@imscope/schemas/query-api/application-name.js';
import { Type } from 'typebox';
import type { AskWithin } from './ask-store.js';
import { defineStoreQuery } from './ask-store.js';

type ApplicationName = Pick<NamedApplication, 'name' | 'package' | 'owner'>;

/** By SDKAppID; rejects only where the signal is aborted. */
export type NamesOf = (
  sdkAppIds: readonly number[],
  signal: AbortSignal,
) => Promise<(sdkAppId: number) => ApplicationName>;

const NAMES = defineStoreQuery(
  'application_names',
  Type.Object({
    sdk_app_id: Type.Number(),
    names: Type.Tuple([Type.String(), Type.String(), Type.String()]),
  }),
);

const NAMES_SQL = `
SELECT
  sdk_app_id,
  dictGetOrDefault('application_name', ('name', 'package', 'owner'), sdk_app_id, ('', '', '')) AS names
FROM (SELECT arrayJoin({sdk_app_ids:Array(UInt64)}) AS sdk_app_id)`;

/** A row with texts of the largest size, in characters of four bytes. */
const ROW_BYTES = 1_024;
const UNKNOWN: ApplicationName = { name: '', package: '', owner: '' };

export function createNamesOf(ask: AskWithin): NamesOf {
  return async (sdkAppIds, signal) => {
    if (sdkAppIds.length === 0) return () => UNKNOWN;
    const bounds = { rowsMax: sdkAppIds.length, bytesMax: (sdkAppIds.length + 1) * ROW_BYTES };
    const rows = await ask
      .within(bounds)(NAMES, NAMES_SQL, { sdk_app_ids: [...new Set(sdkAppIds)] }, signal)
      // The failure is logged and counted where the store is asked.
      .catch((error: unknown) => {
        if (signal.aborted) throw error;
        return [];
      });
    const names = new Map(
      rows.map(({ sdk_app_id, names: [name, packageName, owner] }) => [
        sdk_app_id,
        { name, package: packageName, owner },
      ]),
    );
    return (sdkAppId) => names.get(sdkAppId) ?? UNKNOWN;
  };
}
