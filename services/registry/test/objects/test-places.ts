/* The two places of objects, for tests that hold for both: a new folder, a new bucket of the S3 server of the test run. */
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { readS3Address } from '@imscope/scripts/stack/s3.js';
import { testS3 } from '@imscope/scripts/stack/test-databases.js';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BucketOptions, openBucketObjects } from '../../src/objects/bucket-objects.js';
import { openFolderObjects } from '../../src/objects/folder-objects.js';
import type { ObjectStore } from '../../src/objects/object-store.js';

export type TestPlace = { readonly objects: ObjectStore; close(): Promise<void> };

export const TEST_PLACES: Readonly<Record<'folder' | 'bucket', () => Promise<TestPlace>>> = {
  async folder() {
    const path = await mkdtemp(join(tmpdir(), 'imscope-objects-'));
    const objects = await openFolderObjects(path);
    return { objects, close: () => rm(path, { recursive: true, force: true }) };
  },
  async bucket() {
    const objects = openBucketObjects(await makeBucket());
    return {
      objects,
      async close() {
        objects.close();
      },
    };
  },
};

/** Options of a new bucket. */
export async function makeBucket(): Promise<BucketOptions> {
  const options = { ...readS3Address(await testS3()), bucket: `test-${randomUUID()}` };
  const client = testClient(options);
  await client.send(new CreateBucketCommand({ Bucket: options.bucket }));
  client.destroy();
  return { ...options, prefix: 'imscope/', pathStyle: true, terms: [] };
}

/** A client of our own, beside the one under test. */
export function testClient(
  options: Pick<BucketOptions, 'endpoint' | 'region' | 'accessKeyId' | 'secretAccessKey'>,
): S3Client {
  const { endpoint, region, accessKeyId, secretAccessKey } = options;
  return new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
