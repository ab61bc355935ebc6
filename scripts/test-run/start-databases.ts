/* The databases that all test files of a run share, each with the variable that holds its address. */
import { join } from 'node:path';
import { startMariadb } from '../stack/mariadb.js';
import { startMongodb } from '../stack/mongodb.js';
import { startRedis } from '../stack/redis.js';
import { startS3 } from '../stack/s3.js';

type Database = { readonly address: string; stop(): Promise<void> };

export type TestDatabases = {
  /** Variables of the test files, as `stack/test-databases.ts` reads them. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
};

const STARTS: Readonly<Record<string, (dataDir: string) => Promise<Database>>> = {
  IMSCOPE_TEST_MYSQL: async (dataDir) => startMariadb({ dataDir }),
  IMSCOPE_TEST_REDIS: async (dataDir) => startRedis({ dataDir }),
  IMSCOPE_TEST_MONGODB: async (dataDir) => startMongodb({ dataDir }),
  IMSCOPE_TEST_S3: async (dataDir) => startS3({ dataDir }),
};

/** Starts them all at once. Throws where one does not start; the others are stopped. */
export async function startTestDatabases(directory: string): Promise<TestDatabases> {
  const variables = Object.keys(STARTS);
  const starts = await Promise.allSettled(
    Object.entries(STARTS).map(([variable, start]) => start(join(directory, variable.toLowerCase()))),
  );
  const running = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((database) => database.stop()));
  };
  const failure = starts.find((start) => start.status === 'rejected');
  if (failure !== undefined) {
    await stop();
    throw failure.reason;
  }
  const addresses = running.map(({ address }, at): [string, string] => [variables[at] ?? '', address]);
  return { environment: Object.fromEntries(addresses), stop };
}
