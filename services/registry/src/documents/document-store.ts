/*
 * What the registry needs of the place of versions: MongoDB (mongo-documents.ts), or rows of the same database
 * (row-documents.ts).
 *
 * `write` is called inside the transaction that names the version, with the application's row locked. So one change of an
 * application writes at a time, and a document that is already under the new version is an orphan: its change was cut off
 * between the document and the commit. Rows use the transaction itself. MongoDB inserts; at a duplicate it deletes exactly
 * the orphan it found (by an id of its own, not by the version), and inserts again, so that a late write of a lost process
 * never replaces a document in force.
 */
import type { ApplicationState, VersionSummary } from '@imscope/schemas/registry-api/application.js';
import type { Transaction } from 'kysely';
import type { RegistryTables } from '../rows/tables.js';

export type VersionDocument = {
  readonly sdkAppId: number;
  readonly version: number;
  readonly author: string;
  readonly reason: string;
  readonly createdMs: number;
  readonly state: ApplicationState;
};

export type VersionKey = { readonly sdkAppId: number; readonly version: number };

export type DocumentStore = {
  /** Durable when it resolves. The list is of one transaction: one version of an application, several of an import. */
  write(transaction: Transaction<RegistryTables>, versions: readonly VersionDocument[]): Promise<void>;
  /** Undefined where there is none. */
  read(key: VersionKey): Promise<VersionDocument | undefined>;
  /** Newest first, from `versionMax` (inclusive) downwards: versions above the one in force are orphans. */
  list(
    sdkAppId: number,
    page: { readonly versionMax: number; readonly limit: number },
  ): Promise<readonly VersionSummary[]>;
  /** Deletes the versions below this one. @returns how many */
  deleteBelow(key: VersionKey): Promise<number>;
  /** Deletes all versions of an application. @returns how many */
  deleteApplication(sdkAppId: number): Promise<number>;
  /**
   * Deletes documents of changes that were cut off before their commit: those above the version in force, or of an
   * application that does not exist, once they are older than any transaction.
   * @returns how many
   */
  sweepOrphans(versionsInForce: VersionsInForce, nowMs: number): Promise<number>;
  /** Rejects where a place of its own does not answer. */
  ping(): Promise<void>;
};

/** The version in force of each of these applications that exists. */
export type VersionsInForce = (sdkAppIds: readonly number[]) => Promise<ReadonlyMap<number, number>>;
