import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CONFIGURATION_DEFAULTS } from '@imscope/schemas/registry-api/configuration.js';
import { BACKENDS, openRegistry, type RegistryUnderTest } from './backends.js';
import { newApplication } from './new-application.js';
import { refusedAs } from './refused-as.js';

const text = (length: number) => 'x'.repeat(length);
const list = <T>(length: number, item: (index: number) => T): T[] =>
  Array.from({ length }, (_, index) => item(index));
const field = (name: string) => ({
  name,
  type: 'string',
  readable_by: 'everyone',
  writable_by: 'owner',
});
const certificate = (id: string) => ({
  id,
  channel: 'fcm',
  pack_name: 'com.example',
  app_id: 'a',
  sandbox: true,
});
const interfaceSettings = (name: string) => ({ interface: name, limit_per_second: null, waits: true });
const sloTarget = (name: string | null) => ({
  interface: name,
  success_rate_min: 0.999,
  latency_ms_max: 300,
  latency_share_min: 0.99,
});

const link = (title: string, url = 'https://a.example/') => ({ title, url });

type Bounds = {
  /** Of the state, such as `configuration.recent_contacts_max`. */
  readonly path: string;
  readonly allowed: readonly unknown[];
  readonly refused: readonly unknown[];
};

/** Every field of the configuration data, at its bounds and just outside. */
const FIELDS: readonly Bounds[] = [
  { path: 'details.name', allowed: ['x', text(64), '聊天'], refused: ['', text(65), 'a\nb', 7] },
  { path: 'details.introduction', allowed: ['', text(400)], refused: [text(401)] },
  { path: 'details.description', allowed: ['', text(2_000)], refused: [text(2_001)] },
  { path: 'details.type', allowed: ['social', 'other'], refused: ['nothing', ''] },
  { path: 'details.owner', allowed: ['', text(64)], refused: [text(65)] },
  { path: 'details.package', allowed: ['pro', `a${text(31)}`], refused: ['Pro', '', `a${text(32)}`] },
  {
    path: 'details.subscriptions',
    allowed: [[], ['trtc'], list(32, (at) => `s${at}`)],
    refused: [list(33, (at) => `s${at}`), ['trtc', 'trtc'], ['TRTC']],
  },
  {
    path: 'details.administrators',
    allowed: [['a'], list(10, (at) => `admin ${at}`), [text(32)]],
    refused: [[], list(11, (at) => `admin ${at}`), ['a', 'a'], [text(33)]],
  },
  {
    path: 'details.runbook_url',
    allowed: ['', 'https://a.example/runbook', `https://a.example/${text(482)}`],
    refused: [
      'ftp://a.example',
      'https://a.example/with blank',
      'https://me:secret@a.example/',
      `https://a.example/${text(483)}`,
    ],
  },
  {
    path: 'details.links',
    allowed: [
      [],
      list(8, (at) => link(`Logs ${at}`)),
      [link('Logs', 'https://a.example/{request_id}/{node}')],
    ],
    refused: [
      list(9, (at) => link(`Logs ${at}`)),
      [link('Logs'), link('Logs')],
      [link('')],
      [link('Logs', 'https://a.example/{user}')],
      [link('Logs', 'https://{node}/')],
      [link('Logs', 'javascript:{from}')],
      ['https://a.example/'],
    ],
  },
  { path: 'details.data_centre', allowed: ['frankfurt'], refused: ['Frankfurt', '', '1'] },
  { path: 'settings.quota_per_second', allowed: [1, 1_000_000_000], refused: [0, 1_000_000_001, 1.5] },
  { path: 'settings.limit_per_second', allowed: [1, 1_000_000_000], refused: [0, 1_000_000_001] },
  { path: 'settings.logged_share', allowed: [0.001, 1, 0.123456789], refused: [0, 0.0009, 1.01] },
  {
    path: 'settings.codes',
    allowed: [
      { '-1': 'success', 2147483647: 'unknown' },
      Object.fromEntries(list(1_000, (at) => [at, 'success'])),
    ],
    refused: [{ 1: 'nothing' }, Object.fromEntries(list(1_001, (at) => [at, 'success']))],
  },
  {
    path: 'settings.slo_targets',
    allowed: [[sloTarget(null), sloTarget('openim/sendmsg')], list(100, (at) => sloTarget(`i${at}`))],
    refused: [
      list(101, (at) => sloTarget(`i${at}`)),
      [sloTarget(null), sloTarget(null)],
      [{ ...sloTarget(null), success_rate_min: 1 }],
      [{ ...sloTarget(null), latency_ms_max: 0 }],
    ],
  },
  {
    path: 'settings.interfaces',
    allowed: [
      [interfaceSettings('a/b'), interfaceSettings('c/d')],
      list(200, (at) => interfaceSettings(`i${at}`)),
    ],
    refused: [
      list(201, (at) => interfaceSettings(`i${at}`)),
      [interfaceSettings('a/b'), interfaceSettings('a/b')],
      [{ ...interfaceSettings('a/b'), limit_per_second: 0 }],
      [{ interface: 'a/b', waits: true }],
    ],
  },
  { path: 'configuration.callback.enabled', allowed: [false], refused: ['true', true] },
  {
    path: 'configuration.callback.url',
    allowed: ['https://callback.example.com/im', null],
    refused: [
      'ftp://callback.example.com',
      'https://10.0.0.1/',
      `https://${text(2_048)}.com`,
      'http://a.inside.test/',
    ],
  },
  { path: 'configuration.callback.timeout_ms', allowed: [500, 10_000], refused: [499, 10_001] },
  {
    path: 'configuration.callback.events',
    allowed: [[], ['C2C.CallbackBeforeSendMsg'], list(200, (at) => `e${at}`)],
    refused: [list(201, (at) => `e${at}`), ['e', 'e'], ['1']],
  },
  { path: 'configuration.friend_check', allowed: [true, false], refused: [1] },
  { path: 'configuration.blacklist_check', allowed: [true, false], refused: ['no'] },
  { path: 'configuration.multi_platform_login.mode', allowed: ['single', 'multi'], refused: ['all'] },
  {
    path: 'configuration.multi_platform_login.instances_per_platform_max',
    allowed: [1, 10],
    refused: [0, 11],
  },
  { path: 'configuration.multi_platform_login.web_instances_max', allowed: [1, 10], refused: [0, 11] },
  {
    path: 'configuration.push_certificates',
    allowed: [[certificate('apns-1')], list(40, (at) => certificate(`c${at}`)), []],
    refused: [
      list(41, (at) => certificate(`c${at}`)),
      [certificate('a'), certificate('a')],
      [certificate('A')],
      [{ ...certificate('a'), channel: 'pigeon' }],
      [{ ...certificate('a'), pack_name: '' }],
      [{ ...certificate('a'), app_secret: 'hidden' }],
    ],
  },
  {
    path: 'configuration.tags',
    allowed: [[], list(50, (at) => `tag ${at}`), [text(64)]],
    refused: [list(51, (at) => `tag ${at}`), [text(65)], [''], ['a', 'a']],
  },
  { path: 'configuration.av_group_history.enabled', allowed: [true], refused: ['yes'] },
  { path: 'configuration.av_group_history.messages_max', allowed: [0, 50], refused: [-1, 51] },
  { path: 'configuration.message_recall.enabled', allowed: [false, true], refused: [0] },
  { path: 'configuration.message_recall.within_s', allowed: [1, 604_800], refused: [0, 604_801] },
  { path: 'configuration.message_recall.by_administrator_only', allowed: [true], refused: [2] },
  { path: 'configuration.history_days', allowed: [1, 3_650], refused: [0, 3_651] },
  { path: 'configuration.recent_contacts_max', allowed: [100, 500], refused: [99, 501] },
  {
    path: 'configuration.friend_verification_default',
    allowed: ['allow_any', 'need_confirm', 'deny_any'],
    refused: ['maybe'],
  },
  ...(
    [
      ['friend', 20],
      ['user', 20],
      ['group', 10],
      ['group_member', 5],
    ] as const
  ).map(([kind, max]) => ({
    path: `configuration.custom_fields.${kind}`,
    allowed: [[], list(max, (at) => field(`f${at}`))],
    refused: [list(max + 1, (at) => field(`f${at}`)), [field('f'), field('f')], [field('1')]],
  })),
  { path: 'configuration.share_with_trtc', allowed: [false], refused: [true, 'yes'] },
];

for (const backend of BACKENDS) {
  describe(`bounds of every field, ${backend}`, () => {
    let registry: RegistryUnderTest;
    before(async () => {
      registry = await openRegistry(backend, 'bounds');
      await registry.call('createApplication', { body: newApplication(1) });
    });
    after(() => registry.stop());

    let revision = 1;
    const change = async (path: string, value: unknown): Promise<void> => {
      const changed = await registry.call('changeApplication', {
        params: { sdk_app_id: 1 },
        revision,
        body: { ...nested(path.split('.'), value), reason: path },
      });
      revision = changed.revision;
    };
    /** Objects would be merged with what the value before left. Members without a default cannot be reset. */
    const reset = (path: string): Promise<void> => change(path, null).catch(() => undefined);

    for (const { path, allowed, refused } of FIELDS) {
      test(`${path} takes its bounds, keeps them, and refuses what is just outside`, async () => {
        for (const value of allowed) {
          if (isObject(value)) await reset(path);
          await change(path, value);
          const read = await registry.call('getApplication', { params: { sdk_app_id: 1 } });
          assert.deepEqual(valueAt(read, path.split('.')), value, `${path} as ${JSON.stringify(value)}`);
        }
        await reset(path);
        for (const value of refused) {
          // What is wrong with a callback is said of its URL.
          const isOfCallback = path.startsWith('configuration.callback');
          const refusal = isOfCallback ? undefined : new RegExp(`/${path.replaceAll('.', '/')}`);
          await assert.rejects(
            change(path, value),
            refusedAs('invalid_parameter', 400, refusal),
            `${path} as ${JSON.stringify(value)?.slice(0, 80)}`,
          );
        }
        await reset(path);
      });
    }

    test('every field of the configuration is among those above', () => {
      const named = FIELDS.map(({ path }) => path).filter((path) => path.startsWith('configuration.'));
      const missing = leaves(CONFIGURATION_DEFAULTS, 'configuration').filter((path) => !named.includes(path));
      assert.deepEqual(missing, []);
    });
  });
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nested(path: readonly string[], value: unknown): object {
  const [name = '', ...rest] = path;
  return { [name]: rest.length === 0 ? value : nested(rest, value) };
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, name) => Object(inner)[name], value);
}

function leaves(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, `${path}.${name}`));
}
