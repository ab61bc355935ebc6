/*
 * Objects in a bucket of COS, or of another service with S3's interface. Checksums are sent and checked only where an
 * operation requires them, and objects are deleted singly: the SDK's defaults for both break S3-compatible services.
 */
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { Readable } from 'node:stream';
import { type BucketTerm, checkBucket } from './bucket-check.js';
import { uploadStream } from './bucket-upload.js';
import {
  checkObjectKey,
  LISTED_OBJECTS_MAX,
  OBJECT_BYTES_MAX,
  type ObjectInfo,
  type ObjectStore,
  readWithin,
} from './object-store.js';

export type BucketOptions = {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** What every key in the bucket begins with; ends with a slash. */
  readonly prefix: string;
  /** The bucket is in the path of the URL, not in its host name. */
  readonly pathStyle: boolean;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly terms: readonly BucketTerm[];
};

/** A bucket with its client, for the parts of this place. */
export type Bucket = { readonly client: S3Client; readonly bucket: string; readonly prefix: string };

const CONNECTION_TIMEOUT_MS = 3_000;
/** Of one attempt: a part of 8 MiB at 2 Mbit/s takes 34 s. */
const REQUEST_TIMEOUT_MS = 60_000;
const ATTEMPTS_MAX = 3;
const CONNECTIONS_MAX = 16;
/** Unfinished uploads that one call deletes at most; the next call goes on. */
const UNFINISHED_MAX = 1_000;

export function openBucketObjects(options: BucketOptions): ObjectStore {
  const { bucket, prefix, terms } = options;
  const client = createClient(options);
  const at = (key: string): { Bucket: string; Key: string } => {
    checkObjectKey(key);
    return { Bucket: bucket, Key: prefix + key };
  };
  const getStream = async (key: string): Promise<Readable | undefined> =>
    unlessMissing(async () => {
      const { Body } = await client.send(new GetObjectCommand(at(key)));
      if (!(Body instanceof Readable)) throw new Error(`object ${key} came without a body`);
      return Body;
    });
  return {
    async put(key, content) {
      await client.send(
        new PutObjectCommand({ ...at(key), Body: content, ContentLength: content.byteLength }),
      );
    },
    async putStream(key, content, byteCountMax) {
      return uploadStream(client, { ...at(key), name: key }, content, byteCountMax);
    },
    async get(key) {
      const stream = await getStream(key);
      return stream === undefined ? undefined : readWithin(key, stream, OBJECT_BYTES_MAX);
    },
    getStream,
    async delete(key) {
      await unlessMissing(() => client.send(new DeleteObjectCommand(at(key))));
    },
    list: (start) => listObjects({ client, bucket, prefix }, start),
    async signedUrl(key, { nowMs, validMs }) {
      const command = new GetObjectCommand({
        ...at(key),
        ResponseContentDisposition: 'attachment',
        ResponseCacheControl: 'no-store',
      });
      return getSignedUrl(client, command, {
        signingDate: new Date(nowMs),
        expiresIn: Math.max(1, Math.floor(validMs / 1_000)),
      });
    },
    deleteUnfinished: (beforeMs) => deleteUnfinished({ client, bucket, prefix }, beforeMs),
    check: () => checkBucket({ client, bucket, prefix }, terms),
    close: () => client.destroy(),
  };
}

function createClient(options: BucketOptions): S3Client {
  const agent = { maxSockets: CONNECTIONS_MAX, keepAlive: true };
  return new S3Client({
    endpoint: options.endpoint,
    region: options.region,
    forcePathStyle: options.pathStyle,
    credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: ATTEMPTS_MAX,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      socketTimeout: REQUEST_TIMEOUT_MS,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
}

async function* listObjects({ client, bucket, prefix }: Bucket, start: string): AsyncGenerator<ObjectInfo> {
  let after: string | undefined;
  let listed = 0;
  do {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix + start, ContinuationToken: after }),
    );
    for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
      if (++listed > LISTED_OBJECTS_MAX)
        throw new Error(`more than ${LISTED_OBJECTS_MAX} objects in ${start}`);
      yield {
        key: Key.slice(prefix.length),
        byteCount: Size,
        modifiedMs: LastModified?.getTime() ?? 0,
      };
    }
    after = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (after !== undefined);
}

async function deleteUnfinished({ client, bucket, prefix }: Bucket, beforeMs: number): Promise<number> {
  const { Uploads = [] } = await client.send(
    new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, MaxUploads: UNFINISHED_MAX }),
  );
  const old = Uploads.filter(({ Initiated }) => (Initiated?.getTime() ?? 0) < beforeMs);
  for (const { Key, UploadId } of old) {
    const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId });
    await unlessMissing(() => client.send(command));
  }
  return old.length;
}

/** Undefined where the service says that there is no such object or upload. */
async function unlessMissing<T>(request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    const missing = ['NoSuchKey', 'NotFound', 'NoSuchUpload'];
    if (error instanceof S3ServiceException && missing.includes(error.name)) return undefined;
    throw error;
  }
}
