/*
 * What the operations need of the place of secrets. Values are sealed before they are written, and never come back in an
 * answer; `verify` compares.
 */
import type { SecretSummary } from '@imscope/schemas/registry-api/application.js';
import type { Kysely, Transaction } from 'kysely';
import type { RegistryTables } from '../rows/tables.js';

/** The application key's name among its secrets. */
export const APPLICATION_KEY = 'application_key';

export type NewSecret = { readonly sdkAppId: number; readonly name: string; readonly value: string };

export type SecretStore = {
  /** Seals and writes, replacing what has the same application and name. Several of an import at once. */
  put(
    transaction: Transaction<RegistryTables>,
    secrets: readonly NewSecret[],
    nowMs: number,
  ): Promise<readonly SecretSummary[]>;
  /** Summaries in the order of names, of applications that have any. */
  list(db: Kysely<RegistryTables>, sdkAppId: number): Promise<readonly SecretSummary[]>;
  /** Removes secrets, with their objects. @returns how many */
  remove(
    transaction: Transaction<RegistryTables>,
    sdkAppId: number,
    names: readonly string[],
  ): Promise<number>;
  /** Whether the value is the one in force; in constant time. False where none is set. */
  verify(db: Kysely<RegistryTables>, secret: NewSecret): Promise<boolean>;
};

/** An offline push certificate's file: encrypted, kept as an object. */
export type PutCertificate = (
  transaction: Transaction<RegistryTables>,
  certificate: {
    readonly sdkAppId: number;
    readonly certificateId: string;
    readonly content: Uint8Array;
    readonly password: string | undefined;
  },
  nowMs: number,
) => Promise<SecretSummary>;
