/*
 * The store's settings: one table with name, type, default, bounds and purpose. README.md describes what happens at a
 * bound.
 */
import { availableParallelism, totalmem } from 'node:os';
import { type Config, integer, secret, text } from '@imscope/runtime/config.js';

const MIB = 1024 * 1024;

export const STORE_SETTINGS = {
  storeHost: text({ default: '127.0.0.1', purpose: 'address the ClickHouse HTTP interface listens on' }),
  storePort: integer({ default: 8123, min: 0, max: 65_535, purpose: 'its port; 0 takes a free one' }),
  storeDataDir: text({ purpose: "directory of the store's data; one process holds it at a time" }),
  storeSpoolDir: text({
    default: '/dev/shm',
    purpose:
      'directory of scratch files, in memory if possible; the data directory is used where this one is missing',
  }),
  storeUser: text({ default: 'default', purpose: 'name of the one user' }),
  storePassword: secret({
    default: '',
    purpose: 'password of the one user; may be missing on loopback only',
  }),
  readSessionsMax: integer({ default: 4, min: 1, max: 32, purpose: 'reads that run at once' }),
  writeSessionsMax: integer({
    default: 4,
    min: 1,
    max: 64,
    purpose: 'inserts and commands that run at once',
  }),
  mergeThreads: integer({
    default: Math.max(1, Math.floor(availableParallelism() / 2)),
    min: 1,
    max: 64,
    purpose: 'threads of background merges; half of the cores where nothing is set',
  }),
  memoryBytesMax: integer({
    default: Math.max(1024 * MIB, Math.floor(totalmem() / 4)),
    min: 256 * MIB,
    max: 1024 ** 4,
    purpose:
      'memory of the engine: statements, merges and caches together; a statement that needs more gets code 241. ' +
      'A quarter of the machine, at least 1 GiB, where nothing is set',
  }),
  queueLengthMax: integer({
    default: 64,
    min: 0,
    max: 10_000,
    purpose: 'requests of one workload (read, write, control) that wait for a session; more get code 202',
  }),
  connectionsMax: integer({
    default: 512,
    min: 1,
    max: 65_535,
    purpose: 'open connections; more are closed at once',
  }),
  queryBytesMax: integer({
    default: MIB,
    min: 1024,
    max: 64 * MIB,
    purpose: 'bytes of a statement without the data of an INSERT; more get code 229',
  }),
  bodyBytesMax: integer({
    default: 256 * MIB,
    min: 1024,
    max: 4096 * MIB,
    purpose: 'bytes of a body after decompression; more get status 413',
  }),
  spoolBytesMax: integer({
    default: 1024 * MIB,
    min: 1024,
    max: 65_536 * MIB,
    purpose: 'bytes of all bodies in scratch files together; more get code 241',
  }),
  resultHoldBytes: integer({
    default: 256 * 1024,
    min: 0,
    max: 16 * MIB,
    purpose: 'bytes of a result held back so that an error can still become a status; after them it streams',
  }),
  resultBytesMax: integer({
    default: 64 * MIB,
    min: 1024,
    max: 1024 * MIB,
    purpose: 'bytes of a complete result held for wait_end_of_query=1; more get code 396',
  }),
  lockWaitMs: integer({
    default: 15_000,
    min: 0,
    max: 600_000,
    purpose: 'longest wait for an earlier process to release the data directory',
  }),
  readerStallMs: integer({
    default: 60_000,
    min: 1000,
    max: 3_600_000,
    purpose: 'longest a client may read nothing of its result before it is disconnected',
  }),
};

export type StoreConfig = Config<typeof STORE_SETTINGS>;

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/** Throws where the store would be open to other machines without a password. */
export function refuseOpenStore(config: StoreConfig): void {
  if (config.storePassword === '' && !LOOPBACK.test(config.storeHost)) {
    throw new Error(
      `STORE_HOST is "${config.storeHost}" and STORE_PASSWORD is not set: set a password, or listen on 127.0.0.1`,
    );
  }
}
