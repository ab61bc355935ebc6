/*
 * The first of two steps that group causes. The shape of a cause is its text with numbers and ids replaced by `#`; codes
 * and statuses keep their digits. The store makes shapes (`shapeSql`), so that millions of different causes leave it as
 * few texts; `normalise-shape.ts` does the rest. A group is a function of the shape, so two causes of one shape are
 * always in one group.
 *
 * One pattern serves the store (RE2) and JavaScript. It uses only what both read alike: no flags, no look-around, ASCII
 * classes, bounded repetitions; both take the leftmost match, of its alternatives the first.
 */
import { ALL_CODES } from '@imscope/schemas/codes/catalogue.js';

/** A word in either case, without the flag `i`: RE2 also folds letters outside of ASCII. */
function anyCase(word: string): string {
  return word.replaceAll(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`);
}

const oneOf = (...patterns: readonly string[]): string => `(?:${patterns.join('|')})`;

/** Names with digits that are no numbers. */
const NAMES = [
  'IPv[46]',
  'HTTP/[0-9](?:\\.[0-9])?',
  'TLS ?v?1\\.[0-3]',
  'SSLv[23]',
  `${anyCase('utf')}-?(?:8|16|32)`,
  `${anyCase('sha')}-?(?:1|256|384|512)`,
  `${anyCase('md')}5`,
  `${anyCase('base')}(?:32|64)`,
  'u?int(?:8|16|32|64)',
  'float(?:32|64)',
  '(?:log|slf)4j',
  'OAuth2',
  'X509',
  '[pP](?:50|90|95|99)',
  '[1-5][xX][xX]',
];

/** What may be between a keyword and its number: `code=`, `status: `, `error (`, `"ErrorCode":`. */
const SEPARATOR = '[\'"]?[ =:#(\\[\'"]{1,4}';
/** The same keywords in Chinese, which need no separator. */
const CHINESE_CODE = '(?:错误码|状态码|返回码|响应码|错误代码)(?:为|是|：|[ =:(]){0,3}';
const NUMBER = oneOf('0[xX][0-9A-Fa-f]{1,8}', '-?[0-9]{1,6}');
const BEFORE_CODE = [
  'error',
  'err',
  'ret',
  'return',
  'result',
  'exit',
  'status',
  'http',
  'response',
  'reason',
  'sub',
];
const QUALIFIER = '(?:[A-Za-z]{1,24}[_. -])?';
const CODE_WORD = oneOf(
  `${QUALIFIER}${oneOf(...BEFORE_CODE.map(anyCase))}?[_ -]?${anyCase('code')}`,
  `${QUALIFIER}(?:${anyCase('http')})?${anyCase('status')}`,
  anyCase('errno'),
  anyCase('error'),
  `${anyCase('ret')}(?:${anyCase('val')})?`,
  '[rR][cC]',
  anyCase('signal'),
  anyCase('sqlstate'),
);
const STATUS = '[1-5][0-9][0-9]';
const ANSWERS = [
  'answered',
  'returned',
  'responded',
  'replied',
  'answers',
  'returns',
  'got',
  'received',
  'gave',
  'with',
];
const ANSWERED = `${oneOf(...ANSWERS.map(anyCase))}(?: with)?(?: an?)?(?: HTTP)?`;
/** What follows a status and not a count: `500 rows` is a count. */
const AFTER_STATUS = oneOf(
  '$',
  '[,;:.)\\]"\']',
  ' ?\\(',
  ` ${oneOf('[A-Z]', '(?:from|for|to|on|by|in|at|after|and|but|while|when|instead)\\b')}`,
);
const REASON_PHRASE =
  '(?:Bad|Unauthorized|Forbidden|Not|Method|Request|Conflict|Gone|Payload|Too|Internal|Service|Gateway|Client)';
/** Codes of the catalogue, where they are alone in brackets or begin the text. */
const LISTED = oneOf(...ALL_CODES.filter(({ code }) => code >= 10_000).map(({ code }) => String(code)));

/** A status counts as such where what follows is no noun. */
const KEPT = oneOf(
  `\\b${ANSWERED} ${STATUS}${AFTER_STATUS}`,
  `\\b[45][0-9][0-9] ${REASON_PHRASE}\\b`,
  `\\b${oneOf(...NAMES)}\\b`,
  `\\b${CODE_WORD}${SEPARATOR}${NUMBER}\\b`,
  `${CHINESE_CODE}${NUMBER}\\b`,
  `\\b(?:HTTP|http)[ :]{1,2}${STATUS}\\b`,
  '\\bORA-[0-9]{3,5}\\b',
  '\\bE[0-9]{4,5}\\b',
  '[(\\[](?:40[013489]|429|50[0-4])[)\\]]',
  `[(\\[]${LISTED}[)\\]]`,
  `^${LISTED}\\b`,
);

const HEX = '[0-9A-Fa-f]';
const MASKED = oneOf(
  `\\b${HEX}{8}-${HEX}{4}-${HEX}{4}-${HEX}{4}-${HEX}{12}\\b`,
  // Addresses of version 6, and of network cards.
  `\\b${HEX}{1,4}:${HEX}{0,4}:${HEX}{0,4}(?::${HEX}{0,4}){1,5}`,
  `\\b0[xX]${HEX}+`,
  `\\b${HEX}{8,}\\b`,
  // Three numbers or more within letters.
  '\\b[0-9A-Za-z]*[0-9][A-Za-z]+[0-9]+[A-Za-z]+[0-9][0-9A-Za-z]*',
  '[0-9]+',
);

/** Around what is kept, between the two replacements. A cause does not hold it: collectors replace control characters. */
const FENCE = '\u0001';
const KEPT_ALL = new RegExp(KEPT, 'g');
const MASKED_ALL = new RegExp(MASKED, 'g');

/** Digits in a shape are those of codes, statuses and names. */
export function causeShape(cause: string): string {
  return cause
    .replaceAll(KEPT_ALL, `${FENCE}$&${FENCE}`)
    .split(FENCE)
    .map((part, at) => (at % 2 === 1 ? part : part.replaceAll(MASKED_ALL, '#')))
    .join('');
}

/**
 * The same in the store, with one alias. Two replacements without groups take 3 µs, one with groups 24 µs: RE2 finds
 * groups by another, slower engine.
 * @param column SQL of the text
 */
export function shapeSql(column: string): string {
  const parts = `splitByChar(${sqlText(FENCE)}, replaceRegexpAll(${column}, ${sqlText(KEPT)}, ${sqlText(`${FENCE}\\0${FENCE}`)}))`;
  return `arrayStringConcat(arrayMap(
    (part, masked, at) -> if(at % 2 = 0, part, masked),
    ${parts} AS shape_parts,
    arrayMap(part -> replaceRegexpAll(part, ${sqlText(MASKED)}, '#'), shape_parts),
    arrayEnumerate(shape_parts)
  ))`;
}

function sqlText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
