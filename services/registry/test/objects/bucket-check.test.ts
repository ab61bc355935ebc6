/* Buckets of versitygw; lifecycle rules, which it does not implement, are kept by a server in front of it. */
import assert from 'node:assert/strict';
import { PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { SettingsError } from '@imscope/runtime/settings-error.js';
import { test, type TestContext } from 'node:test';
import { type BucketOptions, openBucketObjects } from '../../src/objects/bucket-objects.js';
import { type LifecycleFront, startLifecycleFront } from './lifecycle-front.js';
import { makeBucket, testClient } from './test-places.js';

const TERMS = [
  { room: 'exports/', days: 7 },
  { room: 'backups/', days: 30 },
];

for (const status of ['Enabled', 'Suspended'] as const) {
  test(`a bucket with versioning ${status} is refused`, async () => {
    const options = await makeBucket();
    await setVersioning(options, status);
    const objects = openBucketObjects(options);
    await assert.rejects(objects.check(), (error) => {
      assert.ok(error instanceof SettingsError);
      assert.match(
        error.message,
        new RegExp(`versioning ${status}.*name a bucket that never had versioning`),
      );
      return true;
    });
    objects.close();
  });
}

test('a service without lifecycle rules is used, and the answer says that they cannot be read', async () => {
  const objects = openBucketObjects({ ...(await makeBucket()), terms: TERMS });
  const [note, ...more] = await objects.check();
  assert.match(note ?? '', /lifecycle rules of bucket .* cannot be read/);
  assert.deepEqual(more, []);
  objects.close();
});

test('missing rules are set and read back', async (t) => {
  const { front, options } = await frontedBucket(t);
  assert.deepEqual(await check(options), []);
  assert.match(front.rules ?? '', /<Prefix>imscope\/exports\/<\/Prefix>/);
  assert.match(front.rules ?? '', /<Days>7<\/Days>/);
});

test('rules of others are kept when ours are set', async (t) => {
  const { front, options } = await frontedBucket(t);
  front.rules = rule({ id: 'theirs', prefix: 'other/', days: 3 });
  assert.deepEqual(await check(options), []);
  assert.match(front.rules ?? '', /theirs/);
  assert.match(front.rules ?? '', /imscope-exports/);
});

test('rules that are in force already are not set again', async (t) => {
  const { front, options } = await frontedBucket(t, ['PUT']);
  front.rules = rules(
    { id: 'one', prefix: 'imscope/exports/', days: 7 },
    { id: 'two', prefix: 'imscope/backups/', days: 14 },
  );
  assert.deepEqual(await check(options), []);
});

test('a rule that is looser than the term and cannot be set is refused', async (t) => {
  const { front, options } = await frontedBucket(t, ['PUT']);
  front.rules = rules(
    { id: 'one', prefix: 'imscope/exports/', days: 8 },
    { id: 'two', prefix: 'imscope/backups/', days: 30 },
  );
  await assert.rejects(
    check(options),
    /no lifecycle rule deletes objects of imscope\/exports\/ after 7 days.*could not be set \(AccessDenied\)/,
  );
});

test('a disabled rule counts as none', async (t) => {
  const { front, options } = await frontedBucket(t, ['PUT']);
  front.rules = rules(
    { id: 'one', prefix: 'imscope/exports/', days: 7, status: 'Disabled' },
    { id: 'two', prefix: 'imscope/backups/', days: 30 },
  );
  await assert.rejects(check(options), /no lifecycle rule deletes objects of imscope\/exports\//);
});

test('rules that cannot be read are noted', async (t) => {
  const { options } = await frontedBucket(t, ['GET', 'PUT']);
  const [note] = await check(options);
  assert.match(note ?? '', /cannot be read \(AccessDenied\).*allow GetBucketLifecycle/);
});

test('a rule that would delete certificates is refused', async (t) => {
  const { front, options } = await frontedBucket(t);
  front.rules = rule({ id: 'all', prefix: '', days: 7 });
  await assert.rejects(check(options), /lifecycle rule "all" deletes objects of imscope\/certificates\//);
});

async function frontedBucket(
  t: TestContext,
  refused: readonly ('GET' | 'PUT')[] = [],
): Promise<{ front: LifecycleFront; options: BucketOptions }> {
  const made = await makeBucket();
  const front = await startLifecycleFront(made.endpoint, refused);
  t.after(() => front.close());
  return { front, options: { ...made, endpoint: front.endpoint, terms: TERMS } };
}

async function check(options: BucketOptions): Promise<readonly string[]> {
  const objects = openBucketObjects(options);
  try {
    return await objects.check();
  } finally {
    objects.close();
  }
}

async function setVersioning(options: BucketOptions, status: 'Enabled' | 'Suspended'): Promise<void> {
  const client = testClient(options);
  // A bucket without versioning cannot be suspended.
  for (const Status of ['Enabled', status] as const) {
    const VersioningConfiguration = { Status };
    await client.send(new PutBucketVersioningCommand({ Bucket: options.bucket, VersioningConfiguration }));
  }
  client.destroy();
}

type Rule = { id: string; prefix: string; days: number; status?: string };

function rule({ id, prefix, days, status = 'Enabled' }: Rule): string {
  return rules({ id, prefix, days, status });
}

function rules(...all: readonly Rule[]): string {
  const texts = all.map(
    ({ id, prefix, days, status = 'Enabled' }) =>
      `<Rule><ID>${id}</ID><Status>${status}</Status><Filter><Prefix>${prefix}</Prefix></Filter><Expiration><Days>${days}</Days></Expiration></Rule>`,
  );
  return `<?xml version="1.0"?><LifecycleConfiguration>${texts.join('')}</LifecycleConfiguration>`;
}
