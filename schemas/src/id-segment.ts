/*
 * Whether one segment of a path is an id, a number or a token rather than a word. Commands of IM gateways have digits too
 * (`admin_c2c_msg_withdraw_v2`, `get_sha256`), so a digit alone says nothing: what counts is how many there are in a row,
 * what word they follow, and how often letters and digits alternate. Every check is linear in the segment.
 */
import { countKindChanges, isRandomLooking, letterOrDigit } from './random-looking.js';

/** A segment without one of these is a word: numbers and hex have digits, base64 has upper case. */
const MAY_HOLD_ID = /[\dA-Z]/;
/** Numbers, dates and versions such as `7`, `2024-01-02` and `1.0`. */
const NUMBER = /^[\d_.-]+$/;
const DIGITS_IN_A_ROW = /\d{4}/;
/** Names of standards and key lengths, which have four digits or five. */
const STANDARD = /(?<![A-Za-z])(?:rfc|iso|rsa|gb)[_-]?\d{4,5}(?!\d)/gi;
/** `user_42`, `group17`: two digits after a word for a person, an account or a group. */
const NUMBERED_PERSON =
  /(?:^|[_.-])(?:u|usr|user|uid|uin|user_?id|open_?id|member|account|acct|customer|group|group_?id|gid|room)[_.-]?\d{2,}$/i;
const HEX = /^[\da-f-]{8,}$/i;
/** A word of eight letters of hex followed by a number, such as `feedface1`, has fewer digits than an id. */
const HEX_DIGITS_MIN = 3;
/** So many letters of hex are no word. */
const HEX_LENGTH = 16;
const RANDOM_LENGTH_MIN = 16;
/** Words of the domain in which letters and digits alternate: `C2C` is one to one, `V2` a version. */
const DOMAIN_WORD = /[Cc]2[Cc]|[Vv]\d{1,2}(?![\da-z])/g;
/** Of a token with marks in it: least share of neighbours of which one is a letter and one a digit; of random ones two in five are. */
const CHANGES_SHARE_MIN = 0.5;
const PAIRS_MIN = 11;
/**
 * Of one case and without marks: so many changes between letters and digits, by length, are no word. `base64tohex` has
 * two in eleven characters, `h264toh265` three in ten; of 16 random ones of base36 nine in ten have four or more.
 */
const TOKEN_CHANGES: readonly (readonly [lengthMin: number, changesMin: number])[] = [
  [20, 2],
  [16, 3],
  [10, 4],
];

/** @param segment letters, digits, `_`, `.` and `-` */
export function isIdSegment(segment: string): boolean {
  if (!MAY_HOLD_ID.test(segment)) return false;
  if (NUMBER.test(segment) || NUMBERED_PERSON.test(segment)) return true;
  if (DIGITS_IN_A_ROW.test(segment) && DIGITS_IN_A_ROW.test(segment.replaceAll(STANDARD, ''))) return true;
  if (HEX.test(segment) && isHexId(segment)) return true;
  const rest = segment.replaceAll(DOMAIN_WORD, '');
  return (rest.length >= RANDOM_LENGTH_MIN && isRandomLooking(rest)) || changesOften(rest);
}

function isHexId(segment: string): boolean {
  const digits = segment.match(/\d/g)?.length ?? 0;
  return digits >= HEX_DIGITS_MIN || (digits > 0 && segment.replaceAll('-', '').length >= HEX_LENGTH);
}

/** For tokens of one case, such as base32 and base36. */
function changesOften(segment: string): boolean {
  const { pairs, changes } = countKindChanges(segment, letterOrDigit);
  if (pairs >= PAIRS_MIN && changes >= CHANGES_SHARE_MIN * pairs) return true;
  return changes > 1 && !hasBothCases(segment) && segment.split(/[_.-]/).some(isToken);
}

function hasBothCases(segment: string): boolean {
  return /[a-z]/.test(segment) && /[A-Z]/.test(segment);
}

function isToken(piece: string): boolean {
  const [, changesMin] = TOKEN_CHANGES.find(([lengthMin]) => piece.length >= lengthMin) ?? [];
  return changesMin !== undefined && countKindChanges(piece, letterOrDigit).changes >= changesMin;
}
