/*
 * The fields of an application's form: where each is in the state, and what the contract says of it. Kinds and bounds come
 * from the contract's schema; labels and help texts from `registry-texts.tsx`.
 */
import type { DescribedSchema } from '@imscope/schemas/registry-api/allowed-values.js';
import { ApplicationState } from '@imscope/schemas/registry-api/application.js';
import { registryTexts } from '../../words/registry-texts.js';

export type FieldPath = keyof (typeof registryTexts)['field'];
export type ColumnName = keyof (typeof registryTexts)['column'];
export type SectionName = keyof (typeof registryTexts)['sections'];

export type Column = { readonly name: ColumnName; readonly schema: DescribedSchema };

export const SECTIONS: readonly { readonly name: SectionName; readonly fields: readonly FieldPath[] }[] = [
  {
    name: 'overview',
    fields: [
      'details.name',
      'details.owner',
      'details.type',
      'details.package',
      'details.data_centre',
      'details.subscriptions',
      'details.administrators',
      'details.introduction',
      'details.description',
      'details.runbook_url',
      'details.links',
      'configuration.tags',
    ],
  },
  {
    name: 'settings',
    fields: [
      'settings.quota_per_second',
      'settings.limit_per_second',
      'settings.logged_share',
      'settings.codes',
      'settings.slo_targets',
      'settings.interfaces',
    ],
  },
  {
    name: 'messages',
    fields: [
      'configuration.friend_check',
      'configuration.blacklist_check',
      'configuration.friend_verification_default',
      'configuration.recent_contacts_max',
      'configuration.history_days',
      'configuration.message_recall.enabled',
      'configuration.message_recall.within_s',
      'configuration.message_recall.by_administrator_only',
      'configuration.av_group_history.enabled',
      'configuration.av_group_history.messages_max',
    ],
  },
  {
    name: 'logins',
    fields: [
      'configuration.multi_platform_login.mode',
      'configuration.multi_platform_login.instances_per_platform_max',
      'configuration.multi_platform_login.web_instances_max',
    ],
  },
  {
    name: 'callback',
    fields: [
      'configuration.callback.enabled',
      'configuration.callback.url',
      'configuration.callback.timeout_ms',
      'configuration.callback.events',
    ],
  },
  { name: 'push', fields: ['configuration.push_certificates'] },
  {
    name: 'fields',
    fields: [
      'configuration.custom_fields.friend',
      'configuration.custom_fields.user',
      'configuration.custom_fields.group',
      'configuration.custom_fields.group_member',
    ],
  },
  { name: 'sharing', fields: ['configuration.share_with_trtc'] },
];

export const FIELDS: readonly FieldPath[] = SECTIONS.flatMap(({ fields }) => fields);

const STATE: DescribedSchema = ApplicationState;

export function schemaOf(path: FieldPath): DescribedSchema {
  return path.split('.').reduce((schema, step) => {
    const member = schema.properties?.[step];
    if (member === undefined) throw new Error(`the contract has no ${path}`);
    return member;
  }, STATE);
}

export type FieldKind = 'boolean' | 'choice' | 'number' | 'text' | 'longText' | 'lines' | 'codes' | 'rows';

const LONG_TEXT_FROM = 300;

export function kindOf(given: DescribedSchema): FieldKind {
  const schema = withoutNull(given);
  if (schema.enum !== undefined) return 'choice';
  if (schema.type === 'boolean') return 'boolean';
  if (schema.type === 'integer' || schema.type === 'number') return 'number';
  if (schema.type === 'object') return 'codes';
  if (schema.type === 'array') return schema.items?.type === 'object' ? 'rows' : 'lines';
  return (schema.maxLength ?? 0) >= LONG_TEXT_FROM && schema.pattern?.startsWith('^https') !== true
    ? 'longText'
    : 'text';
}

/** Empty input means null where null is allowed. */
export function isNullable({ anyOf }: DescribedSchema): boolean {
  return anyOf?.some(({ type }) => type === 'null') === true;
}

export function withoutNull(schema: DescribedSchema): DescribedSchema {
  return schema.anyOf?.find(({ type }) => type !== 'null') ?? schema;
}

export function columnsOf(schema: DescribedSchema): readonly Column[] {
  return Object.entries(schema.items?.properties ?? {}).map(([name, column]) => {
    if (!isColumn(name)) throw new Error(`the column ${name} has no title`);
    return { name, schema: column };
  });
}

export function choicesOf(schema: DescribedSchema): readonly string[] {
  return (withoutNull(schema).enum ?? []).map(String);
}

function isColumn(name: string): name is ColumnName {
  return Object.hasOwn(registryTexts.column, name);
}
