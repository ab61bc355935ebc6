/*
 * What a bucket must be like. Versioning, also where it is suspended, keeps objects that were deleted: such a bucket is
 * refused. A rule of the bucket itself deletes objects at their latest date, also where the registry does not run: it is
 * set where allowed, and read back.
 */
import { createHash } from 'node:crypto';
import {
  GetBucketLifecycleConfigurationCommand,
  GetBucketVersioningCommand,
  type LifecycleRule,
  PutBucketLifecycleConfigurationCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { SettingsError } from '@imscope/runtime/settings-error.js';
import type { Bucket } from './bucket-objects.js';
import { OBJECT_ROOMS } from './object-store.js';

/** How long objects of a room may exist at most, days. */
export type BucketTerm = { readonly room: string; readonly days: number };

/** Unfinished uploads, days: the sweeper aborts them after an hour, and one day is the least that a rule can say. */
const UNFINISHED_DAYS = 1;

/**
 * @returns what could not be checked
 * @throws SettingsError for a bucket that keeps what is deleted, or whose rules are looser than the terms
 */
export async function checkBucket(bucket: Bucket, terms: readonly BucketTerm[]): Promise<readonly string[]> {
  const versioning = await checkVersioning(bucket);
  const lifecycle = await checkLifecycle(bucket, terms);
  return [versioning, lifecycle].filter((note) => note !== undefined);
}

async function checkVersioning({ client, bucket }: Bucket): Promise<string | undefined> {
  try {
    const { Status } = await client.send(new GetBucketVersioningCommand({ Bucket: bucket }));
    if (Status === undefined) return undefined;
    throw new SettingsError([
      `bucket ${bucket} has versioning ${Status}, so what is deleted stays as an old version: name a bucket that never had versioning in COS_BUCKET`,
    ]);
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    if (isNotOffered(error))
      return `whether bucket ${bucket} is versioned cannot be read: its service does not offer it`;
    if (isRefused(error)) {
      throw new SettingsError([
        `whether bucket ${bucket} is versioned cannot be read (${nameOf(error)}): allow GetBucketVersioning for COS_SECRET_ID`,
      ]);
    }
    throw error;
  }
}

async function checkLifecycle(bucket: Bucket, terms: readonly BucketTerm[]): Promise<string | undefined> {
  let rules: readonly LifecycleRule[];
  try {
    rules = await readRules(bucket);
  } catch (error) {
    if (!isNotOffered(error) && !isRefused(error)) throw error;
    return `the lifecycle rules of bucket ${bucket.bucket} cannot be read (${nameOf(error)}): only the registry itself deletes objects at their end; allow GetBucketLifecycle and PutBucketLifecycle for COS_SECRET_ID`;
  }
  const before = lifecycleFaults(rules, bucket.prefix, terms);
  if (before.length === 0) return undefined;
  const refusal = await setRules(bucket, rules, terms);
  const after = lifecycleFaults(await readRules(bucket), bucket.prefix, terms);
  if (after.length === 0) return undefined;
  const why = refusal === undefined ? '' : `; they could not be set (${refusal})`;
  throw new SettingsError(after.map((fault) => `bucket ${bucket.bucket}: ${fault}${why}`));
}

/** Empty where the bucket has none. */
async function readRules({ client, bucket }: Bucket): Promise<readonly LifecycleRule[]> {
  try {
    const { Rules } = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }));
    return Rules ?? [];
  } catch (error) {
    if (nameOf(error) === 'NoSuchLifecycleConfiguration') return [];
    throw error;
  }
}

/** Keeps the rules of others: setting replaces all. @returns why it was refused */
async function setRules(
  { client, bucket, prefix }: Bucket,
  rules: readonly LifecycleRule[],
  terms: readonly BucketTerm[],
): Promise<string | undefined> {
  const own = terms.map(({ room, days }): LifecycleRule => {
    return {
      ID: ruleId(prefix, room),
      Status: 'Enabled',
      Filter: { Prefix: prefix + room },
      Expiration: { Days: days },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: UNFINISHED_DAYS },
    };
  });
  const others = rules.filter(({ ID }) => own.every((rule) => rule.ID !== ID));
  const command = new PutBucketLifecycleConfigurationCommand({
    Bucket: bucket,
    LifecycleConfiguration: { Rules: [...others, ...own] },
  });
  // S3-compatible services ask for it here; the SDK sends a checksum of another kind instead.
  command.middlewareStack.add((next) => (call) => next({ ...call, request: withContentMd5(call.request) }), {
    step: 'build',
    priority: 'low',
    name: 'contentMd5',
  });
  try {
    await client.send(command);
    return undefined;
  } catch (error) {
    if (isNotOffered(error) || isRefused(error)) return nameOf(error);
    throw error;
  }
}

/** Changes the request itself: the SDK knows it by its class. */
function withContentMd5(request: unknown): unknown {
  const isComplete =
    typeof request === 'object' &&
    request !== null &&
    'body' in request &&
    typeof request.body === 'string' &&
    'headers' in request;
  if (!isComplete) throw new Error('the request of the lifecycle rules is not the one that is expected');
  const digest = createHash('md5').update(String(request.body)).digest('base64');
  Object.assign(Object(request.headers), { 'content-md5': digest });
  return request;
}

function ruleId(prefix: string, room: string): string {
  return `${prefix}${room}`.replaceAll('/', '-').replace(/-$/, '');
}

/** One sentence for each room whose objects the rules let exist too long, or delete too early. */
export function lifecycleFaults(
  rules: readonly LifecycleRule[],
  prefix: string,
  terms: readonly BucketTerm[],
): string[] {
  const active = rules.filter(({ Status }) => Status === 'Enabled');
  const loose = terms.flatMap(({ room, days }) => {
    const start = prefix + room;
    const covering = active.filter((rule) => isWithin(rule, start));
    const expires = covering.map(({ Expiration }) => Expiration?.Days ?? Number.POSITIVE_INFINITY);
    if (Math.min(Number.POSITIVE_INFINITY, ...expires) <= days) return [];
    return [`no lifecycle rule deletes objects of ${start} after ${days} days: add one with that prefix`];
  });
  const kept = prefix + OBJECT_ROOMS.certificates;
  const early = active
    .filter((rule) => rule.Expiration !== undefined && overlaps(rule, kept))
    .map(({ ID = '' }) => {
      return `lifecycle rule "${ID}" deletes objects of ${kept}, which are kept while their application is: limit it to other prefixes`;
    });
  return [...loose, ...early];
}

/** A rule that is limited further, by tags or sizes, does not cover all objects. */
function isWithin({ Filter, Prefix }: LifecycleRule, start: string): boolean {
  if (Filter === undefined) return start.startsWith(Prefix ?? '');
  const { And, Tag, ObjectSizeGreaterThan, ObjectSizeLessThan } = Filter;
  const limits = [And, Tag, ObjectSizeGreaterThan, ObjectSizeLessThan];
  return limits.every((limit) => limit === undefined) && start.startsWith(Filter.Prefix ?? '');
}

function overlaps({ Filter, Prefix }: LifecycleRule, start: string): boolean {
  const limit = Filter?.And?.Prefix ?? Filter?.Prefix ?? Prefix ?? '';
  return limit.startsWith(start) || start.startsWith(limit);
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error);
}

function isNotOffered(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 501;
}

function isRefused(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 403;
}
