/*
 * The catalogue of IM result codes: classifies every request's outcome at the edge, and describes codes for people.
 * An override of the application wins, a listed code has one outcome, and a code without a rule is `unknown`, never
 * success. The collector classifies each record, so `classifyOutcome` only reads maps and allocates nothing.
 */
import type { Outcome } from '../outcome.js';
import { ACCESS_CODES } from './access-codes.js';
import { ACCOUNT_CODES } from './account-codes.js';
import type { CodeEntry } from './code-entry.js';
import { CONTENT_CODES } from './content-codes.js';
import { familyOf, type FamilyName } from './families.js';
import { FILE_CODES } from './file-codes.js';
import { GROUP_CODES } from './group-codes.js';
import { classifyHttpStatus } from './http-statuses.js';
import { INTERNAL_CODES } from './internal-codes.js';
import { MESSAGE_BODY_CODES } from './message-body-codes.js';
import { ONE_TO_ONE_CODES } from './one-to-one-codes.js';
import { PROFILE_CODES } from './profile-codes.js';
import { RECENT_CONTACT_CODES } from './recent-contact-codes.js';
import { RELATIONSHIP_CODES } from './relationship-codes.js';
import { REST_CODES } from './rest-codes.js';

export type ListedCode = CodeEntry & { readonly family: FamilyName };

export type CodeDescription = {
  /** null: the source could not know the code. */
  readonly code: number | null;
  /** snake_case; `no_code` is an absent code, `unlisted` any code that is not in the catalogue. */
  readonly name: string;
  /** `none`: no code, or a code outside all ranges. */
  readonly family: FamilyName | 'none';
  readonly meaning: string;
  readonly advice: string;
  /** The catalogue's classification, before overrides and without an HTTP status. */
  readonly outcome: Outcome;
};

const SUCCESS_CODES: readonly CodeEntry[] = [
  { code: 0, name: 'ok', outcome: 'success', meaning: 'The request succeeded.', advice: 'Nothing to do.' },
];

const TABLES: readonly (readonly [family: FamilyName, codes: readonly CodeEntry[]])[] = [
  ['success', SUCCESS_CODES],
  ['rest', REST_CODES],
  ['account', ACCOUNT_CODES],
  ['group', GROUP_CODES],
  ['one_to_one', ONE_TO_ONE_CODES],
  ['relationship', RELATIONSHIP_CODES],
  ['profile', PROFILE_CODES],
  ['recent_contact', RECENT_CONTACT_CODES],
  ['content', CONTENT_CODES],
  ['message_body', MESSAGE_BODY_CODES],
  ['internal', INTERNAL_CODES],
  ['file', FILE_CODES],
  ['access', ACCESS_CODES],
];

/** Every listed code with its family, in ascending order of codes. */
export const ALL_CODES: readonly ListedCode[] = TABLES.flatMap(([family, codes]) =>
  codes.map((entry) => ({ ...entry, family })),
).toSorted((a, b) => a.code - b.code);

const LISTED = new Map<number, ListedCode>(ALL_CODES.map((entry) => [entry.code, entry]));
const OUTCOME_BY_CODE = new Map<number, Outcome>(ALL_CODES.map((entry) => [entry.code, entry.outcome]));

/**
 * The outcome of one request. In this order: no code → the HTTP status; the application's override; the
 * catalogue; the rule of the code's family; the HTTP status. So a code without a rule, answered with 200,
 * is `unknown`: as a caller error it could hide a new failure of the service, as a service error it could invent one.
 *
 * @param code the IM code; null where the source cannot know it
 * @param httpStatus 100 to 599; 0 where unknown
 * @param overrides the application's own outcomes, by code
 */
export function classifyOutcome(
  code: number | null,
  httpStatus: number,
  overrides?: ReadonlyMap<number, Outcome>,
): Outcome {
  if (code === null) return classifyHttpStatus(httpStatus);
  if (overrides !== undefined) {
    const override = overrides.get(code);
    if (override !== undefined) return override;
  }
  return OUTCOME_BY_CODE.get(code) ?? classifyUnlisted(code, httpStatus);
}

function classifyUnlisted(code: number, httpStatus: number): Outcome {
  const outcome = familyOf(code)?.unlistedOutcome ?? 'unknown';
  return outcome === 'unknown' ? classifyHttpStatus(httpStatus) : outcome;
}

/** Name, meaning and advice for a code; also for null and for codes not in the catalogue. Never throws. */
export function describeCode(code: number | null): CodeDescription {
  if (code === null) {
    return {
      code,
      name: 'no_code',
      family: 'none',
      meaning: 'The source does not log the IM code.',
      advice: 'Have the gateway log the IM code; until then the outcome follows from the HTTP status alone.',
      outcome: 'unknown',
    };
  }
  const listed = LISTED.get(code);
  if (listed !== undefined) {
    const { name, family, meaning, advice, outcome } = listed;
    return { code, name, family, meaning, advice, outcome };
  }
  const family = familyOf(code);
  if (family === undefined) {
    return {
      code,
      name: 'unlisted',
      family: 'none',
      meaning: `Code ${code} is not in the catalogue and belongs to no known range.`,
      advice:
        'Check that the source logs the IM code and not another number; otherwise set an override for it.',
      outcome: 'unknown',
    };
  }
  return {
    code,
    name: 'unlisted',
    family: family.name,
    meaning: `Code ${code} is not in the catalogue; its range is about ${family.subject}.`,
    advice: family.unlistedAdvice,
    outcome: family.unlistedOutcome,
  };
}
