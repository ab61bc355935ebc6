/*
 * The second of two steps that group causes: masks everything variable in a shape (`cause-shape.ts`) as `<*>`: numbers
 * with their units and signs, times, addresses, hosts, paths, quoted texts, names of users, values of `key=value`, and
 * lists of such. One set of rules for all causes, without a memory: the result depends on the text alone.
 *
 * Every rule repeats only characters that its neighbours exclude, or a bounded number of times.
 */
import { causeShape } from './cause-shape.js';

const MASK = '<*>';

type Replacement = string | ((match: string, ...groups: string[]) => string);
type Rule = readonly [pattern: RegExp, replacement: Replacement];

const DATE_WORDS =
  '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}';
const UNITS =
  'ms|msec|msecs|s|sec|secs|seconds?|us|µs|ns|min|mins|minutes?|h|hours?|days?|milliseconds?|microseconds?|' +
  'B|[kKMGT]i?B|bytes?|kb|mb|gb|times?|%';
/** After the name of a user: what goes on with the sentence. */
const AFTER_NAME = String.raw`(?=$|[,;:.)\]]|\s(?:from|by|to|on|at|in|via|with|port|does|is|was|has|not|rhost|\(|\[|logged|failed))`;
/** Words after "user" and the like that are no name. */
const NO_NAME =
  '(?!(?:is|was|are|has|had|have|not|does|do|did|and|or|for|from|to|in|on|of|by|with|who|that|can|cannot|could|may|' +
  'must|should|will|would|exists?|unknown|invalid|names?|ids?|data|requests?|count|service|already|never|still|only|' +
  'sessions?|authentication|accounts?|agents?|groups?|profiles?|level|list|check|lookup|import|state|store|cache)\\b)';
const THINGS =
  '(?:interface|callback|command|method|endpoint|field|parameter|param|argument|column|node|host(?:name)?|pod|instance|' +
  'container|device)';
/** Endings of file names, which look like the last part of a host. */
const FILE = '(?:java|py|go|c|cc|cpp|h|rs|ts|js|mjs|php|rb|lua|xml|json|conf|properties|jar|log|so|dll|exe)';
const TOP_DOMAINS = '(?:com|net|org|edu|gov|cn|io|hk|jp|br|de|uk|fr|tw|kr|ru|local|internal|lan|svc|cloud)';

const VALUE_WORDS_MAX = 2;

/** @param status names the value, where it is a status @param colon follows a key of JSON */
function maskQuoted(
  match: string,
  status: string | undefined,
  quoted: string,
  colon: string | undefined,
): string {
  if (status !== undefined || colon !== undefined) return match;
  return quoted.trim().split(/\s+/).length > VALUE_WORDS_MAX ? match : '#';
}

/** `blk_# blk_# blk_#` is `blk_#`. What follows the last stays. */
function withoutRepeats(text: string): string {
  const kept: string[] = [];
  let before = '';
  for (const word of text.split(/(?<=[\s,;])(?![\s,;])/)) {
    const bare = word.replace(/[\s,;]+$/, '');
    if (bare === before && bare.includes('#')) kept.pop();
    kept.push(word);
    before = bare;
  }
  return kept.join('');
}

/** Within a shape: `#` stands for what is masked. In their order. */
const RULES: readonly Rule[] = [
  // What collectors have masked.
  [/<(?:email|phone|account|group|token|ip|query)>/g, '#'],
  // Quoted texts: of one or two words they are values; keys of JSON, request lines and sentences stay.
  [/(status"\s?:\s?)?"([^"]{0,512})"(\s?:)?/gi, maskQuoted],
  [/(^|[^0-9A-Za-z_#])'[^']{1,256}'(?![0-9A-Za-z_])/g, '$1#'],
  [/`[^`]{1,256}`|“[^”]{1,256}”|‘[^’]{1,256}’|「[^」]{1,256}」|【[^】]{1,256}】/g, '#'],
  [/\b[a-z][a-z+]{1,15}:\/\/[^\s"'<>,;)\]}]+/g, '#'],
  [/[A-Za-z0-9_.+#-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g, '#'],
  [/(^|[\s"'=(:,[<])[A-Za-z]:\\[^\s"'<>,;)\]}]*/g, '$1#'],
  [/(^|[\s"'=(:,[<!>|])~?\/(?![\s/>*])[^\s"'<>,;)\]}|]*/g, '$1#'],
  [/(^|[\s"'=(:,[<])[\w.#-]+(?:\/[\w.#$-]+){2,}\/?/g, '$1#'],
  // Hosts: with a port, or with a known end and no class name.
  [new RegExp(String.raw`(^|[^\w.$#-])(?=[\w.#-]*[A-Za-z])[\w#-]+(?:\.(?!${FILE}:)[\w#-]+)+:#`, 'g'), '$1#'],
  [
    new RegExp(
      String.raw`(^|[^\w.$#-])(?!(?:com|org|net|io|cn|edu)\.)[\w#-]+(?:\.[\w#-]+)*\.${TOP_DOMAINS}(?![\w.$-])`,
      'g',
    ),
    '$1#',
  ],
  // Properties and values.
  [/(?<![\w.#-])[\w#-]+(?:\.[\w#-]+)+=[^\s,;)\]}]*/g, '#'],
  [/([\w\])])=(?!=)[^\s,;)\]}>=]*/g, '$1=#'],
  [/([=:]\s?)(?:true|false|null|none|nil|yes|no)\b/gi, '$1#'],
  [/\b(?:true|false|null|nil)\b/gi, '#'],
  // Dates with words, times of the day, ordinals.
  [new RegExp(String.raw`\b${DATE_WORDS},?\s(?:${DATE_WORDS},?\s)?\s?#`, 'g'), '#'],
  [new RegExp(String.raw`#[\s/-]${DATE_WORDS}(?=[\s/-]#)`, 'g'), '#'],
  [/#\s?(?:am|pm|AM|PM|UTC|GMT|CST)\b/g, '#'],
  [/#(?:st|nd|rd|th|Z)\b/g, '#'],
  // Random-looking words.
  [/(?<![\w#])[a-fA-F]*#[a-fA-F#]*#[a-fA-F]*(?![\w#])/g, '#'],
  [/(?<![\w#])[A-Za-z]*#[A-Za-z]+#[A-Za-z#]*(?![\w#])/g, '#'],
  // From the first number of an unbroken token to its last; a sign before it.
  [/#[^\s,;()[\]{}<>"'|=#]*(?:#[^\s,;()[\]{}<>"'|=#]*)*#/g, '#'],
  [/(^|[^0-9A-Za-z#])[-+~<>]#/g, '$1#'],
  [/\/#/g, '#'],
  [new RegExp(String.raw`#\s?(?:${UNITS})(?![\w%:=])`, 'g'), '#'],
  [/#%/g, '#'],
  // Names of things, after a word that says what they are; plain words have none of these characters.
  [
    new RegExp(String.raw`\b(${THINGS}s?:?\s)(?=[\w./-]*(?:[/_#]|\.\w|[a-z][A-Z]))[\w./#-]*[\w/#]`, 'g'),
    '$1#',
  ],
  // Names of users.
  [
    new RegExp(
      String.raw`\b(users?|username|account|login|identifier|uid|ruser)(\s|:\s?)${NO_NAME}[\w.@#$-]+${AFTER_NAME}`,
      'gi',
    ),
    '$1$2#',
  ],
  [/\bfor [\w.@#$-]+ from #/g, 'for # from #'],
  // Lists, sizes said twice, the same word with another number.
  [/#\s?\(#\)/g, '#'],
  [/^[^]*$/g, withoutRepeats],
  [/#(?:[\s,;|/+&:-]+#)+/g, '#'],
  [/#\s?\(#\)/g, '#'],
  [/(# [a-z]{3,30}[a-rt-z])s\b/g, '$1'],
  [/\s+/g, ' '],
];

/** @returns the text of the group of all causes of this shape */
export function normaliseShape(shape: string): string {
  let text = shape.trim();
  for (const [pattern, replacement] of RULES) {
    text =
      typeof replacement === 'string'
        ? text.replaceAll(pattern, replacement)
        : text.replaceAll(pattern, replacement);
  }
  return text.trim().replaceAll(/#+/g, MASK);
}

export function normaliseCause(cause: string): string {
  return normaliseShape(causeShape(cause));
}

/** Digits in a normalised text are codes and statuses. */
export function withoutCodes(normalised: string): string {
  return normalised
    .replaceAll(/0[xX][0-9A-Fa-f]+|-?\d+/g, MASK)
    .replaceAll(/<\*>(?:[\s,;|/+&:-]+<\*>)+/g, MASK);
}
