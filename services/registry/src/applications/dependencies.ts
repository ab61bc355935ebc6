/* What the operations on applications are given. */
import type { ApplicationConfiguration } from '@imscope/schemas/registry-api/configuration.js';
import type { Logger } from '@imscope/runtime/logger.js';
import type { Database } from '@imscope/state/database.js';
import type { DocumentStore } from '../documents/document-store.js';
import type { StoredApplication, Writer } from '../rows/application-rows.js';
import type { RegistryTables } from '../rows/tables.js';
import type { PutCertificate, SecretStore } from '../secrets/secret-store.js';

/** An application with its configuration, as a change leaves it. */
export type CompleteApplication = {
  readonly stored: StoredApplication;
  readonly configuration: ApplicationConfiguration;
};

export type ApplicationDependencies = {
  readonly database: Database<RegistryTables>;
  readonly documents: DocumentStore;
  readonly secrets: SecretStore;
  readonly putCertificate: PutCertificate;
  /** Throws `HttpError` where a callback must not go to this URL. Resolves its name. */
  readonly checkCallbackUrl: (url: string) => Promise<unknown>;
  /** Calls the URL once, as every use does. */
  readonly testCallback: (
    url: string,
    timeoutMs: number,
  ) => Promise<{ readonly address: string; readonly status: number; readonly durationMs: number }>;
  /** What else a change causes, in its transaction. `before` is null for a new application. */
  readonly onChange: (
    transaction: Writer,
    before: CompleteApplication | null,
    after: CompleteApplication,
    nowMs: number,
  ) => Promise<void>;
  readonly applicationsMax: number;
  /** Data centre of an application that is created without one; empty: it must be given. */
  readonly region: string;
  /** Whether this registry keeps the tokens of a REGISTRY_FILE. */
  readonly hasTokenFile: boolean;
  readonly logger: Logger;
};
