/* Settings of the place of objects, and the place they name. */
import { flag, secret, type Settings, text } from '@imscope/runtime/config.js';
import { openBucketObjects } from './bucket-objects.js';
import type { BucketTerm } from './bucket-check.js';
import { type FolderObjects, openFolderObjects } from './folder-objects.js';
import type { ObjectStore } from './object-store.js';

export const OBJECT_SETTINGS = {
  objectsDir: text({
    default: '',
    purpose: 'folder of certificates, exports and backups; not set: they are in a bucket',
  }),
  cosBucket: text({
    default: '',
    pattern: /^[a-z0-9][a-z0-9.-]{1,62}$/,
    allowed: 'a bucket’s name',
    purpose: 'bucket of certificates, exports and backups; not set: they are in OBJECTS_DIR',
  }),
  cosEndpoint: text({
    default: '',
    pattern: /^https?:\/\/[^@\s/]+$/,
    allowed: 'an http(s) URL without a path and credentials',
    purpose: 'where the bucket’s service answers, such as https://cos.ap-singapore.myqcloud.com',
  }),
  cosRegion: text({ default: '', purpose: 'region of the bucket, such as ap-singapore' }),
  cosPrefix: text({
    default: 'imscope/',
    pattern: /^(?:[a-z0-9][\w-]*\/)+$/,
    allowed: 'names with a slash after each',
    purpose: 'what every key in the bucket begins with',
  }),
  cosPathStyle: flag({
    default: false,
    purpose: 'true where the bucket is in the path of the URL, not in its host name',
  }),
  cosSecretId: secret({ default: '', purpose: 'access key at the bucket’s service' }),
  cosSecretKey: secret({ default: '', purpose: 'secret key at the bucket’s service' }),
} satisfies Settings;

export type ObjectSettings = {
  readonly objectsDir: string;
  readonly cosBucket: string;
  readonly cosEndpoint: string;
  readonly cosRegion: string;
  readonly cosPrefix: string;
  readonly cosPathStyle: boolean;
  readonly cosSecretId: string;
  readonly cosSecretKey: string;
};

/** One sentence for each fault of the combination; empty where a folder or a bucket is named completely. */
export function objectSettingFaults(config: Partial<ObjectSettings>): string[] {
  const { objectsDir = '', cosBucket = '' } = config;
  if (objectsDir !== '' && cosBucket !== '') {
    return ['OBJECTS_DIR and COS_BUCKET are both set: objects are in one place; set one of them'];
  }
  if (objectsDir === '' && cosBucket === '') {
    return ['neither OBJECTS_DIR nor COS_BUCKET is set: objects need a place; set one of them'];
  }
  if (objectsDir !== '') return [];
  const needed = [
    ['COS_ENDPOINT', config.cosEndpoint],
    ['COS_REGION', config.cosRegion],
    ['COS_SECRET_ID', config.cosSecretId],
    ['COS_SECRET_KEY', config.cosSecretKey],
  ] as const;
  return needed
    .filter(([, value]) => value === undefined || value === '')
    .map(([variable]) => `${variable} is not set: it is needed with COS_BUCKET; set it`);
}

/** @param terms how long objects may exist at most, for the bucket's own rules */
export async function openObjects(
  config: ObjectSettings,
  terms: readonly BucketTerm[],
): Promise<ObjectStore | FolderObjects> {
  if (config.objectsDir !== '') return openFolderObjects(config.objectsDir);
  return openBucketObjects({
    endpoint: config.cosEndpoint,
    region: config.cosRegion,
    bucket: config.cosBucket,
    prefix: config.cosPrefix,
    pathStyle: config.cosPathStyle,
    accessKeyId: config.cosSecretId,
    secretAccessKey: config.cosSecretKey,
    terms,
  });
}
