/*
 * Names, packages, owners and links of applications, out of the dictionary that the registry fills. Figures do not depend
 * on them: where the dictionary cannot be read, texts are empty.
 */
import { LinkTemplate } from '@imscope/schemas/link-template.js';
import type { DescribedApplication, NamedApplication } from '@imscope/schemas/query-api/application-name.js';
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { AskWithin, StoreQuery } from './ask-store.js';
import { defineStoreQuery } from './ask-store.js';

export type ApplicationName = Pick<NamedApplication, 'name' | 'package' | 'owner'>;
export type ApplicationDescription = Omit<DescribedApplication, 'sdk_app_id'>;

type LookUp<T> = (sdkAppIds: readonly number[], signal: AbortSignal) => Promise<(sdkAppId: number) => T>;

/** By SDKAppID; rejects only where the signal is aborted. */
export type NamesOf = LookUp<ApplicationName>;
/** The same with runbooks and links. */
export type DescriptionsOf = LookUp<ApplicationDescription>;

const Texts = <T extends TSchema[]>(...texts: [...T]) =>
  Type.Object({ sdk_app_id: Type.Number(), texts: Type.Tuple(texts) });
const NAMES = defineStoreQuery('application_names', Texts(Type.String(), Type.String(), Type.String()));
const DESCRIPTIONS = defineStoreQuery(
  'application_descriptions',
  Texts(Type.String(), Type.String(), Type.String(), Type.String(), Type.String()),
);

const NAMES_SQL = `
SELECT
  sdk_app_id,
  dictGetOrDefault('application_name', ('name', 'package', 'owner'), sdk_app_id, ('', '', '')) AS texts
FROM (SELECT arrayJoin({sdk_app_ids:Array(UInt64)}) AS sdk_app_id)`;

const DESCRIPTIONS_SQL = `
SELECT
  sdk_app_id,
  dictGetOrDefault('application_name', ('name', 'package', 'owner', 'runbook_url', 'links'), sdk_app_id,
    ('', '', '', '', '')) AS texts
FROM (SELECT arrayJoin({sdk_app_ids:Array(UInt64)}) AS sdk_app_id)`;

/** A row with texts of the largest size, in characters of four bytes. */
const NAME_BYTES = 1_024;
/** With a runbook and 8 links of the largest size, as JSON in JSON. */
const DESCRIPTION_BYTES = 24_576;

const UNNAMED: ApplicationName = { name: '', package: '', owner: '' };
const UNDESCRIBED: ApplicationDescription = { ...UNNAMED, runbook_url: '', link_templates: [] };

export function createNamesOf(ask: AskWithin): NamesOf {
  const look = { query: NAMES, sql: NAMES_SQL, rowBytes: NAME_BYTES, none: UNNAMED };
  return lookUpIn(ask, look, ({ texts: [name, packageName, owner] }) => {
    return { name, package: packageName, owner };
  });
}

export function createDescriptionsOf(ask: AskWithin): DescriptionsOf {
  const look = { query: DESCRIPTIONS, sql: DESCRIPTIONS_SQL, rowBytes: DESCRIPTION_BYTES, none: UNDESCRIBED };
  return lookUpIn(ask, look, ({ texts: [name, packageName, owner, runbook, links] }) => {
    return { name, package: packageName, owner, runbook_url: runbook, link_templates: templatesOf(links) };
  });
}

function lookUpIn<Row extends { readonly sdk_app_id: number }, T>(
  ask: AskWithin,
  {
    query,
    sql,
    rowBytes,
    none,
  }: {
    readonly query: StoreQuery<Row>;
    readonly sql: string;
    readonly rowBytes: number;
    readonly none: T;
  },
  valueOf: (row: Row) => T,
): LookUp<T> {
  return async (sdkAppIds, signal) => {
    if (sdkAppIds.length === 0) return () => none;
    const bounds = { rowsMax: sdkAppIds.length, bytesMax: (sdkAppIds.length + 1) * rowBytes };
    const rows = await ask
      .within(bounds)(query, sql, { sdk_app_ids: [...new Set(sdkAppIds)] }, signal)
      // The failure is logged and counted where the store is asked.
      .catch((error: unknown) => {
        if (signal.aborted) throw error;
        return [];
      });
    const values = new Map(rows.map((row) => [row.sdk_app_id, valueOf(row)]));
    return (sdkAppId) => values.get(sdkAppId) ?? none;
  };
}

const Templates = Type.Array(LinkTemplate);

/** What the registry wrote; of another form: none. */
function templatesOf(json: string): Static<typeof Templates> {
  if (json === '') return [];
  const parsed: unknown = JSON.parse(json);
  return Value.Check(Templates, parsed) ? parsed : [];
}
