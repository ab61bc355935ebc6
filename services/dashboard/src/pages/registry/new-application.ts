/*
 * What a creation asks for, checked as it is typed against the contract's bounds; all else has defaults. Pure.
 */
import type { DescribedSchema } from '@imscope/schemas/registry-api/allowed-values.js';
import { DETAILS_DEFAULTS } from '@imscope/schemas/registry-api/details.js';
import { ApplicationIdentity } from '@imscope/schemas/registry-api/identity.js';
import type { NewApplication } from '@imscope/schemas/registry-api/operations.js';
import { parseInput } from './field-input.js';
import { schemaOf } from './field-schema.js';

const { sdk_app_id, app_id, uin } = ApplicationIdentity.properties;

const SCHEMAS = {
  sdk_app_id,
  app_id,
  uin,
  name: schemaOf('details.name'),
  data_centre: schemaOf('details.data_centre'),
  package: schemaOf('details.package'),
  owner: schemaOf('details.owner'),
} satisfies Readonly<Record<string, DescribedSchema>>;

export type NewField = keyof typeof SCHEMAS;
export type NewInputs = Readonly<Record<NewField, string>>;

/** In the order of the form. */
export const NEW_FIELDS: readonly NewField[] = [
  'sdk_app_id',
  'name',
  'app_id',
  'uin',
  'data_centre',
  'package',
  'owner',
];

export const NEW_INPUTS: NewInputs = {
  sdk_app_id: '',
  app_id: '',
  uin: '',
  name: '',
  data_centre: '',
  package: DETAILS_DEFAULTS.package,
  owner: DETAILS_DEFAULTS.owner,
};

export function isNumberField(field: NewField): boolean {
  return SCHEMAS[field].type === 'integer';
}

export function faultOfNew(field: NewField, input: string): string | undefined {
  const parsed = parseInput(input.trim(), SCHEMAS[field]);
  return parsed.ok ? undefined : parsed.fault;
}

/** Of inputs without a fault. */
export function newApplicationOf(inputs: NewInputs, reason: string): NewApplication {
  return {
    sdk_app_id: Number(inputs.sdk_app_id),
    app_id: Number(inputs.app_id),
    uin: Number(inputs.uin),
    details: {
      name: inputs.name.trim(),
      data_centre: inputs.data_centre.trim(),
      package: inputs.package.trim(),
      owner: inputs.owner.trim(),
    },
    reason,
  };
}
