/*
 * Scrubs the short texts that name a machine, a place, a version or one request. Most are plain words, numbers and hex,
 * which one pass over their characters recognises. Results for names are cached, since names repeat; ids are all different.
 * A request id must stay usable for lookups, so it is not replaced for its form alone.
 */
import { BlockList, isIP } from 'node:net';
import type { REQUEST_LOG_FIELDS, StoredFieldName } from '@imscope/schemas/request-log-fields.js';
import {
  ACCOUNT_HINT,
  LABEL_PATTERNS,
  NUMBERED_NAME,
  type PersonalPattern,
  SECRET_BEGINNING,
  SECRET_HINT,
  SECRET_LENGTH_MIN,
} from './personal-patterns.js';
import { scrubBy, type Scrubbed } from './scrub-text.js';

/** The fields that are scrubbed as labels, by the table. */
export type LabelField = {
  [K in StoredFieldName]: (typeof REQUEST_LOG_FIELDS)[K]['personal'] extends 'label_scrubbed' ? K : never;
}[StoredFieldName];

/** Four counts in one number, eight bits each: a label has at most 128 characters. */
const DIGIT = 1;
const DOT = 1 << 8;
/** A letter that is not a hex digit, or `_`. */
const WORD = 1 << 16;
/** Everything but letters, digits, `_`, `-` and `.`; includes characters that cannot be stored. */
const OTHER = 1 << 24;

/** By ASCII code. */
const WEIGHTS = Int32Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/\d/.test(character)) return DIGIT;
  if (/[a-f-]/i.test(character)) return 0;
  if (/\w/.test(character)) return WORD;
  return character === '.' ? DOT : OTHER;
});

/** A text with fewer digits holds neither an account number nor a phone number. */
const NUMBER_DIGITS_MIN = 5;
/** A text with fewer dots holds no IPv4 address. */
const IPV4_DOTS = 3;
/** A mobile number at the beginning, as the patterns define it. */
const PHONE_FIRST = /^(?:(?:00)?86-?)?1[3-9]\d(?:-?\d{4}){2}(?![\dA-Za-z_])/;

const MAY_BEGIN_PHONE: readonly string[] = ['0', '1', '8'];

/**
 * True if no pattern can match, and every character can be stored as it is. Cheap.
 * @param text of at most 128 characters
 */
export function isPlainLabel(text: string): boolean {
  let counts = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    counts += code < 128 ? (WEIGHTS[code] ?? OTHER) : OTHER;
  }
  if (counts >= OTHER || ((counts >> 8) & 0xff) >= IPV4_DOTS) return false;
  if (counts >= WORD && text.length >= SECRET_LENGTH_MIN && SECRET_BEGINNING.test(text)) return false;
  if ((counts & 0xff) < NUMBER_DIGITS_MIN) return true;
  if (MAY_BEGIN_PHONE.includes(text.charAt(0)) && PHONE_FIRST.test(text)) return false;
  return counts < WORD || !NUMBERED_NAME.test(text);
}

/** Versions of four parts have the form of addresses. */
const VERSION = /^v?\d{1,9}(?:\.\d{1,9}){1,4}$/i;
const DIGITS = /^\d+$/;

/**
 * Matches every text that a pattern of labels can match. Excludes ids in parts such as `Root=1-5759e988` and `gw3/17/42`
 * cheaply: trying all patterns takes 20 times as long. Mobile numbers are at the beginning or after a sign.
 */
const MAY_HOLD = new RegExp(
  [
    String.raw`[^\w=:/+.-]`,
    String.raw`\d\.\d{1,3}\.`,
    ':.*:',
    String.raw`\+\d`,
    String.raw`(?:^|[=:/])(?:00)?(?:86-?)?1[3-9]\d`,
    ...[ACCOUNT_HINT, SECRET_HINT].map(({ source }) => source),
    SECRET_BEGINNING.source,
    'cookie|group|phone|mobile|tel',
  ].join('|'),
  'i',
);

/** Operators often name machines by their address. Private addresses identify no person outside. */
const PRIVATE_ADDRESSES = new BlockList();
for (const [network, prefix] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  PRIVATE_ADDRESSES.addSubnet(network, prefix, 'ipv4');
}
PRIVATE_ADDRESSES.addAddress('::1', 'ipv6');
PRIVATE_ADDRESSES.addSubnet('fc00::', 7, 'ipv6');
PRIVATE_ADDRESSES.addSubnet('fe80::', 10, 'ipv6');

const NODE_PATTERNS: readonly PersonalPattern[] = LABEL_PATTERNS.map((pattern) =>
  pattern.kind === 'ip'
    ? {
        ...pattern,
        accepts: (value, ...where) => !isPrivate(value) && pattern.accepts(value, ...where),
      }
    : pattern,
);

/** @param value an address as the patterns match it: with brackets, zone, port or prefix */
function isPrivate(value: string): boolean {
  const address = /^\[?([\da-f:.]*[\da-f:])/i.exec(value)?.[1] ?? '';
  const alone = isIP(address) === 0 ? address.replace(/:\d+$/, '') : address;
  const version = isIP(alone);
  return version !== 0 && PRIVATE_ADDRESSES.check(alone, version === 4 ? 'ipv4' : 'ipv6');
}

/** Results for labels that repeat, by field. Bounded: a field's map is cleared at 1,000 labels of 128 characters. */
const CACHED_MAX = 1_000;
const cache: Readonly<Record<Exclude<LabelField, 'request_id'>, Map<string, Scrubbed>>> = {
  node: new Map(),
  region: new Map(),
  platform: new Map(),
  sdk_version: new Map(),
};

/** For labels that are not plain. Never throws; the result may be longer. */
export function scrubLabel(field: LabelField, text: string): Scrubbed {
  if (field === 'request_id') {
    const isId = DIGITS.test(text) || !MAY_HOLD.test(text);
    return isId ? { text, replaced: 0 } : scrubBy(LABEL_PATTERNS, text);
  }
  const results = cache[field];
  const cached = results.get(text);
  if (cached !== undefined) return cached;
  const scrubbed =
    field === 'sdk_version' && VERSION.test(text)
      ? { text, replaced: 0 }
      : scrubBy(field === 'node' ? NODE_PATTERNS : LABEL_PATTERNS, text);
  if (results.size >= CACHED_MAX) results.clear();
  results.set(text, scrubbed);
  return scrubbed;
}
