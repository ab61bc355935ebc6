/*
 * The configuration document of an application: how its administrator set up the service. Secrets are not in it: it
 * names them, and `secrets.ts` describes how they are given. Bounds are those of the service.
 */
import { type Static, Type } from 'typebox';
import { plainText } from '../plain-text.js';

const strict = { additionalProperties: false };

const Callback = Type.Object(
  {
    enabled: Type.Boolean(),
    url: Type.Union([
      Type.String({
        minLength: 8,
        maxLength: 2_048,
        pattern: '^https?://',
        description: 'an http or https URL on a public address',
      }),
      Type.Null(),
    ]),
    timeout_ms: Type.Integer({ minimum: 500, maximum: 10_000 }),
    events: Type.Array(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9._]{0,63}$' }), {
      maxItems: 200,
      uniqueItems: true,
    }),
  },
  strict,
);

const LOGIN_MODES = ['single', 'dual', 'triple', 'multi'] as const;
const MultiPlatformLogin = Type.Object(
  {
    mode: Type.Enum([...LOGIN_MODES]),
    instances_per_platform_max: Type.Integer({ minimum: 1, maximum: 10 }),
    web_instances_max: Type.Integer({ minimum: 1, maximum: 10 }),
  },
  strict,
);

export const PUSH_CHANNELS = ['apns', 'fcm', 'huawei', 'honor', 'xiaomi', 'oppo', 'vivo', 'meizu'] as const;
const PushCertificate = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,31}$' }),
    channel: Type.Enum([...PUSH_CHANNELS]),
    pack_name: plainText(1, 255),
    app_id: plainText(0, 128, 'AppID at the push channel'),
    sandbox: Type.Boolean(),
  },
  strict,
);

const CustomField = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_]{0,31}$' }),
    type: Type.Enum(['string', 'integer', 'bytes', 'boolean']),
    readable_by: Type.Enum(['everyone', 'members', 'owner', 'administrator']),
    writable_by: Type.Enum(['owner', 'administrator']),
  },
  strict,
);
const CustomFields = (fieldsMax: number) => Type.Array(CustomField, { maxItems: fieldsMax });

export const ApplicationConfiguration = Type.Object(
  {
    callback: Callback,
    friend_check: Type.Boolean({ description: 'only friends may send each other one-to-one messages' }),
    blacklist_check: Type.Boolean({ description: 'a sender on the receiver’s blacklist is refused' }),
    multi_platform_login: MultiPlatformLogin,
    push_certificates: Type.Array(PushCertificate, { maxItems: 40 }),
    tags: Type.Array(plainText(1, 64), { maxItems: 50, uniqueItems: true }),
    av_group_history: Type.Object(
      {
        enabled: Type.Boolean(),
        messages_max: Type.Integer({ minimum: 0, maximum: 50 }),
      },
      { ...strict, description: 'what new members of an audio/video group see of its history' },
    ),
    message_recall: Type.Object(
      {
        enabled: Type.Boolean(),
        within_s: Type.Integer({ minimum: 1, maximum: 604_800 }),
        by_administrator_only: Type.Boolean(),
      },
      strict,
    ),
    history_days: Type.Integer({ minimum: 1, maximum: 3_650, description: 'storage of messages, days' }),
    recent_contacts_max: Type.Integer({ minimum: 100, maximum: 500 }),
    friend_verification_default: Type.Enum(['allow_any', 'need_confirm', 'deny_any']),
    custom_fields: Type.Object(
      {
        friend: CustomFields(20),
        user: CustomFields(20),
        group: CustomFields(10),
        group_member: CustomFields(5),
      },
      strict,
    ),
    share_with_trtc: Type.Boolean({
      description: 'share the details with the audio/video service; needs the subscription trtc',
    }),
  },
  strict,
);
export type ApplicationConfiguration = Static<typeof ApplicationConfiguration>;

export const CONFIGURATION_DEFAULTS: ApplicationConfiguration = {
  callback: { enabled: false, url: null, timeout_ms: 2_000, events: [] },
  friend_check: false,
  blacklist_check: true,
  multi_platform_login: { mode: 'multi', instances_per_platform_max: 1, web_instances_max: 1 },
  push_certificates: [],
  tags: [],
  av_group_history: { enabled: false, messages_max: 20 },
  message_recall: { enabled: true, within_s: 120, by_administrator_only: false },
  history_days: 7,
  recent_contacts_max: 100,
  friend_verification_default: 'need_confirm',
  custom_fields: { friend: [], user: [], group: [], group_member: [] },
  share_with_trtc: false,
};
