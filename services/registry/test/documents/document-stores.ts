/*
 * The places of versions, for tests that hold for all: rows of SQLite, rows of MariaDB, and documents beside rows of
 * SQLite and of MariaDB. The documents' server is FerretDB, not MongoDB.
 */
import { randomUUID } from 'node:crypto';
import { testMongodb } from '@imscope/scripts/stack/test-databases.js';
import type { Database } from '@imscope/state/database.js';
import { CONFIGURATION_DEFAULTS } from '@imscope/schemas/registry-api/configuration.js';
import { SETTINGS_DEFAULTS } from '@imscope/schemas/registry-api/settings.js';
import { REGISTRY_DATABASES } from '../registry-databases.js';
import type { DocumentStore, VersionDocument } from '../../src/documents/document-store.js';
import { openMongoDocuments } from '../../src/documents/mongo-documents.js';
import { createRowDocuments } from '../../src/documents/row-documents.js';
import { insertApplications } from '../../src/rows/application-rows.js';
import type { RegistryTables } from '../../src/rows/tables.js';

export type TestDocuments = {
  readonly database: Database<RegistryTables>;
  readonly documents: DocumentStore;
  close(): Promise<void>;
};
type Dialect = keyof typeof REGISTRY_DATABASES;

export const DOCUMENT_STORES: Readonly<Record<string, () => Promise<TestDocuments>>> = {
  'rows of sqlite': () => openRows('sqlite'),
  'rows of mysql': () => openRows('mysql'),
  'documents beside sqlite': () => openDocuments('sqlite'),
  'documents beside mysql': () => openDocuments('mysql'),
};

/** The address of a new, empty database. */
export async function newMongoUrl(): Promise<string> {
  return `${await testMongodb()}/registry_${randomUUID().replaceAll('-', '')}`;
}

async function openRows(dialect: Dialect): Promise<TestDocuments> {
  const { database, close } = await REGISTRY_DATABASES[dialect]();
  return { database, documents: createRowDocuments(database.kysely), close };
}

async function openDocuments(dialect: Dialect): Promise<TestDocuments> {
  const { database, close } = await REGISTRY_DATABASES[dialect]();
  const documents = await openMongoDocuments({ url: await newMongoUrl(), password: '' });
  return {
    database,
    documents,
    async close() {
      await documents.close();
      await close();
    },
  };
}

let applications = 1_400_000_000;

/** An application at version 1 without its document. @returns its id */
export async function insertApplication(database: Database<RegistryTables>, version = 1): Promise<number> {
  const sdkAppId = ++applications;
  const { state } = versionOf(sdkAppId, version);
  await database.kysely.transaction().execute((transaction) =>
    insertApplications(transaction, [
      {
        identity: { sdk_app_id: sdkAppId, app_id: sdkAppId, uin: 1 },
        status: 'active',
        revision: 1,
        version,
        details: state.details,
        settings: state.settings,
        createdMs: 0,
        updatedMs: 0,
        terminatedMs: null,
        purgeMs: null,
      },
    ]),
  );
  return sdkAppId;
}

/** A version with a state of every kind of value. */
export function versionOf(sdkAppId: number, version: number, createdMs = 1_000 * version): VersionDocument {
  return {
    sdkAppId,
    version,
    author: 'ops',
    reason: `version ${version}`,
    createdMs,
    state: {
      details: {
        name: `Chat “${version}” 聊天`,
        introduction: '',
        description: '',
        type: 'social',
        owner: 'team',
        package: 'standard',
        subscriptions: [],
        administrators: ['administrator'],
        data_centre: 'singapore',
        runbook_url: 'https://runbooks.example/chat',
        links: [{ title: 'Logs', url: 'https://logs.example/{request_id}' }],
      },
      settings: {
        ...SETTINGS_DEFAULTS,
        logged_share: 0.125,
        codes: { '60002': 'caller_error', '-7': 'service_error' },
        slo_targets: [
          { interface: null, success_rate_min: 0.999, latency_ms_max: null, latency_share_min: null },
        ],
        interfaces: [{ interface: 'openim/getmsg', limit_per_second: null, waits: true }],
      },
      configuration: { ...CONFIGURATION_DEFAULTS, tags: ['a', 'b'], recent_contacts_max: 500 },
    },
  };
}
