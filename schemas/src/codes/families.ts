/*
 * The families of IM result codes: which range of codes belongs to which part of the service, and how a code
 * in a family's range is classified that is not in the catalogue. Ranges do not overlap.
 */
import type { Outcome } from '../outcome.js';

export type FamilyName =
  | 'success'
  | 'rest'
  | 'account'
  | 'group'
  | 'one_to_one'
  | 'relationship'
  | 'profile'
  | 'recent_contact'
  | 'content'
  | 'message_body'
  | 'internal'
  | 'file'
  | 'access'
  | 'app_callback';

export type Family = {
  readonly name: FamilyName;
  /** What the family's codes are about, as the middle of a sentence. */
  readonly subject: string;
  /** Both ends belong to the range. */
  readonly ranges: readonly (readonly [first: number, last: number])[];
  /** `unknown`: the HTTP status decides, and with 200 the outcome is unknown. */
  readonly unlistedOutcome: Outcome;
  /** What to do about a code of this range that is not in the catalogue. */
  readonly unlistedAdvice: string;
};

const CLASSIFY_IT = "Read the answer's error text, then set an override for the code or have it listed.";

export const FAMILIES: readonly Family[] = [
  {
    name: 'success',
    subject: 'success',
    ranges: [[0, 0]],
    unlistedOutcome: 'success',
    unlistedAdvice: CLASSIFY_IT,
  },
  {
    name: 'rest',
    subject: 'the REST entry',
    ranges: [[60_000, 69_999]],
    unlistedOutcome: 'unknown',
    unlistedAdvice: CLASSIFY_IT,
  },
  {
    name: 'account',
    subject: 'accounts and UserSig',
    ranges: [[70_000, 79_999]],
    unlistedOutcome: 'unknown',
    unlistedAdvice: CLASSIFY_IT,
  },
  {
    name: 'group',
    subject: 'groups',
    ranges: [
      [10_000, 10_099],
      [10_201, 19_999],
    ],
    unlistedOutcome: 'unknown',
    unlistedAdvice: CLASSIFY_IT,
  },
  {
    name: 'one_to_one',
    subject: 'one-to-one messages',
    ranges: [[20_000, 29_999]],
    unlistedOutcome: 'unknown',
    unlistedAdvice: CLASSIFY_IT,
  },
  {
    name: 'relationship',
    subject: 'relationships',
    ranges: [[30_000, 39_999]],
    unlistedOutcome: 'unknown',
    unlistedAdvice: CLASSIFY_IT,
  },
  {
    name: 'profile',
    subject: 'profiles',
    ranges: [[40_000, 49_999]],
    unlistedOutcome: 'unknown',
    unlistedAdvice: CLASSIFY_IT,
  },
  {
    name: 'recent_contact',
    subject: 'recent contacts',
    ranges: [[50_000, 59_999]],
    unlistedOutcome: 'unknown',
    unlistedAdvice: CLASSIFY_IT,
  },
  {
    name: 'content',
    subject: 'content and suspension',
    ranges: [[80_000, 89_999]],
    unlistedOutcome: 'unknown',
    unlistedAdvice: CLASSIFY_IT,
  },
  {
    name: 'message_body',
    subject: 'message bodies and pushes',
    ranges: [
      [90_000, 90_999],
      [92_000, 99_999],
    ],
    unlistedOutcome: 'unknown',
    unlistedAdvice: CLASSIFY_IT,
  },
  // The range belongs to internal services: an unlisted code is a new internal failure, not a caller's.
  {
    name: 'internal',
    subject: 'internal services',
    ranges: [[91_000, 91_999]],
    unlistedOutcome: 'service_error',
    unlistedAdvice: "Look for errors of this interface's backend, and have the code listed.",
  },
  {
    name: 'file',
    subject: 'files in messages',
    ranges: [[114_000, 115_999]],
    unlistedOutcome: 'unknown',
    unlistedAdvice: CLASSIFY_IT,
  },
  {
    name: 'access',
    subject: 'client connections',
    ranges: [[-29_999, -300]],
    unlistedOutcome: 'unknown',
    unlistedAdvice: CLASSIFY_IT,
  },
  // An application's callback chooses these numbers to refuse a request: its decision, not our failure.
  {
    name: 'app_callback',
    subject: "refusals by the application's own callback",
    ranges: [
      [10_100, 10_200],
      [120_001, 130_000],
    ],
    unlistedOutcome: 'caller_error',
    unlistedAdvice: "Ask the application's team: its callback server chose this code.",
  },
];

/** The family whose range holds the code; undefined outside all ranges. */
export function familyOf(code: number): Family | undefined {
  for (const family of FAMILIES) {
    for (const range of family.ranges) {
      if (code >= range[0] && code <= range[1]) return family;
    }
  }
  return undefined;
}
