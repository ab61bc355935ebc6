/* Turns a row of an import into an application to create, or says why it is none. */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { mayUse, type Grant } from '@imscope/access/grant.js';
import { NewApplication } from '@imscope/schemas/registry-api/operations.js';
import { Type, type Static } from 'typebox';
import { Ajv } from 'ajv';
import { checkState, describeFaults, faultsOfSchema } from '../check-state.js';
import { type ApplicationToCreate, completeNewState, newKey } from '../create-application.js';
import type { ImportRow, RowFault } from './import-row.js';

/** An operator's existing applications have keys, which their gateways know. */
const ImportedApplication = Type.Object(
  {
    ...NewApplication.properties,
    key: Type.Optional(
      Type.String({
        pattern: '^[\\x21-\\x7e]{16,256}$',
        writeOnly: true,
        description: 'the present key, 16 to 256 printable characters, or leave it out for a new one',
      }),
    ),
  },
  { additionalProperties: false },
);

const ajv = new Ajv({ allErrors: true, verbose: true, strict: false });
const hasShape = ajv.compile<Static<typeof ImportedApplication>>(ImportedApplication);

export type CheckedRow =
  | { readonly line: number; readonly application: ApplicationToCreate }
  | { readonly line: number; readonly fault: RowFault };

const REASON_LEFT_OUT = 'imported';

/** Pure but for the new key. */
export function checkRow(
  { line, given, fault }: ImportRow,
  { caller, region }: { readonly caller: Grant; readonly region: string },
): CheckedRow {
  if (fault !== undefined) return { line, fault };
  if (!hasShape(given))
    return { line, fault: invalid(describeFaults(faultsOfSchema(hasShape.errors ?? []))) };
  const { sdk_app_id, app_id, uin, key = newKey(), reason = REASON_LEFT_OUT, ...state } = given;
  if (!mayUse(caller, sdk_app_id)) {
    const message = `"${caller.name}" may not create application ${sdk_app_id}: ask for a token that may`;
    return { line, fault: { code: 'not_allowed', message } };
  }
  try {
    const checked = checkState(completeNewState(state, region));
    if (!checked.ok) return { line, fault: invalid(describeFaults(checked.faults)) };
    return {
      line,
      application: { identity: { sdk_app_id, app_id, uin }, state: checked.state, key, reason },
    };
  } catch (error) {
    // Nested too deep.
    if (error instanceof HttpError) return { line, fault: { code: error.code, message: error.message } };
    throw error;
  }
}

function invalid(message: string): RowFault {
  return { code: 'invalid_parameter', message };
}
