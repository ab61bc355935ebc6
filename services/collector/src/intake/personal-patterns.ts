/*
 * The forms of personal data and credentials in the texts of IM gateways, in order of precedence. A pattern's
 * first group is the text before the value, which stays; the second group is the value. Every repetition is bounded, or
 * runs over characters that its neighbours exclude, so that no text makes matching expensive.
 */
import { isIPv6 } from 'node:net';
import { isRandomLooking } from '@imscope/schemas/random-looking.js';
import {
  ACCOUNT_NAME,
  ACCOUNT_NAME_CHINESE,
  isAbsentWord,
  isPlainWord,
  PHONE_NAME,
  SECRET_NAME,
} from './personal-words.js';

export type PersonalKind = 'email' | 'phone' | 'account' | 'group' | 'token' | 'ip' | 'query';

/** @param start the position of the value in the text @param prefix the match of the pattern's first group */
type Accepts = (value: string, text: string, start: number, prefix: string) => boolean;

export type PersonalPattern = {
  readonly kind: PersonalKind;
  /** A cheap test; it fails only if `regexp` cannot match. */
  readonly hint: RegExp;
  readonly regexp: RegExp;
  readonly accepts: Accepts;
  /** The beginning of a value whose later part was found at `at`. Positions that are not 0 in `taken` are not part of it. */
  readonly beginning: ((text: string, at: number, taken: Uint8Array) => number) | undefined;
  /** Used for sentences only: ids and names of machines have the same form. See `LABEL_PATTERNS`. */
  readonly sentencesOnly?: true;
};

const LOCAL_PART_LENGTH_MAX = 64;
const LETTER_OR_DIGIT = /^[A-Za-z0-9]/;
const OTHER_IN_LOCAL_PART = /[_.%+'-]/;
/** A value without quotes ends here. */
const BARE = String.raw`[^\s"'\\,;&<>(){}[\]|，。；、！）（】【」「”“]`;
const GAP = String.raw`\s{0,3}`;
/** `=` or `:` after a name that may be quoted, also in JSON that is quoted in a text. */
const SEPARATOR = String.raw`\\?["']?${GAP}[:=：]${GAP}`;
/** The text between an opening quote, already matched, and its closing one, which may be truncated. */
const QUOTED =
  String.raw`(?:(?<=")[^"\\\r\n]{1,256}|(?<=')[^'\\\r\n]{1,256}|(?<=[“”])[^“”\r\n]{1,256}|(?<=\[)[^\]\r\n]{1,256}` +
  String.raw`|(?<=【)[^】\r\n]{1,256}|(?<=「)[^」\r\n]{1,256}|(?<=<)[^<>\r\n]{1,256})`;
export const ACCOUNT_HINT =
  /identifier|account|user|nick|openid|open_id|open-id|union|login|member|customer|uid|uin|sender|receiver|recipient|owner|operator|principal/i;
const CHINESE_HINT = /[一-龥]/;
export const SECRET_HINT =
  /sig|token|secret|key|pass|pwd|credential|authorization|ticket|session|random|nonce|regid|密码|口令|令牌|密钥|签名|验证码/i;
const NUMBERED_ACCOUNT = '(?:user|account|acct|member|customer|uid|uin|open_?id|login)[_-]?';
const NUMBERED_PHONE = '(?<![A-Za-z])(?:phone|mobile|tel)(?:_?(?:number|no))?[_:=-]?';
/** An account or a phone number in an id: `user_13800138000`, `uid-10086123`. */
export const NUMBERED_NAME = new RegExp(String.raw`(?:${NUMBERED_ACCOUNT}|${NUMBERED_PHONE})\d{5}`, 'i');
/** What follows the bare name of an account in a sentence. Without it, "user x" does not indicate an account. */
const ACCOUNT_PREDICATE = String.raw`(?=\s(?:(?:is |was |has been |has |were )?(?:in (?:the )?(?:block|black)list|not (?:found|exist|online|allowed|a member|imported|logged|in\b|been)|banned|muted|blocked|frozen|kicked|removed|offline|locked|unverified|already|logged|deleted)|does not exist|doesn't exist|from [\d[]))`;

export const PERSONAL_PATTERNS: readonly PersonalPattern[] = [
  pattern('query', /\?/, String.raw`(\?)([^\s"'<>?，。；）]{0,1024}=[^\s"'<>，。；）→]{0,2048})`),
  pattern('token', /:\/\//, String.raw`(:\/\/)([^\s/?#"'<>]{1,256})(?=@)`),
  pattern(
    'token',
    /cookie/i,
    String.raw`(cookie2?${GAP}[:=]${GAP})([^\s;,"'=]{1,128}=[^\s;,"']{0,1024}(?:;\s?[\w-]{1,64}(?:=[^\s;"']{0,1024})?){0,32})`,
  ),
  pattern(
    'token',
    /eyJ/,
    String.raw`()((?<![\w-])eyJ[\w-]{6,1024}\.[\w-]{1,2048}(?:\.[\w-]{0,1024})?)`,
    undefined,
    'g',
  ),
  sentencesOnly(
    pattern('token', /eJ/, String.raw`()((?<![A-Za-z0-9])eJ[\w*+/-]{22,2048}={0,2})`, undefined, 'g'),
  ),
  pattern('token', /bearer|basic/i, String.raw`((?:bearer|basic)\s{1,3})([\w.~+/=-]{8,2048})`, looksSecret),
  pattern(
    'token',
    SECRET_HINT,
    String.raw`(${SECRET_NAME}\\?["']?${GAP}[:=：]${GAP}\\?["'“])(${QUOTED})`,
    isNoPlainWord,
  ),
  pattern(
    'token',
    SECRET_HINT,
    String.raw`(${SECRET_NAME}${SEPARATOR})((?:(?!\\?["'])${BARE}){1,1024})`,
    isSecretAfterName,
  ),
  sentencesOnly(
    pattern(
      'token',
      SECRET_HINT,
      String.raw`(${SECRET_NAME}[\s"'“<([]{0,3})((?![=:])${BARE}{6,1024})`,
      looksSecret,
    ),
  ),
  pattern('group', /@TGS#/i, String.raw`()(@TGS#[\w@#-]{1,128})`),
  pattern(
    'group',
    /group|群/i,
    String.raw`((?:group[_ ]?id|群组?(?:ID|id|号))${SEPARATOR}["“]?)(${BARE}{1,128})`,
    isNoPlainWord,
  ),
  {
    // Matches from the sign on: matching forwards would start an attempt at every character of a long word.
    ...pattern(
      'email',
      /@|%40/,
      String.raw`()((?:@|%40)(?:[A-Za-z0-9\u00c0-\u024f-]{1,63}\.){1,8}[A-Za-z]{2,24})`,
      (value) => LETTER_OR_DIGIT.test(value),
    ),
    beginning: localPartBeginning,
  },
  pattern('account', /@["']?\d/, String.raw`()((?<![\w.-])[\w.-]{1,64})(?=["']?@["']?\d{1,3}\.\d)`),
  ...accountPatterns(),
  ...phonePatterns(),
  ...addressPatterns(),
  sentencesOnly(
    pattern(
      'token',
      /(?<![A-Za-z0-9])[\da-f]{32}/i,
      String.raw`()((?<![A-Za-z0-9])[\da-f]{32,512}(?![A-Za-z0-9]))`,
      isNoTraceId,
    ),
  ),
  pattern('token', /AKI[AD]/, String.raw`()((?<![A-Za-z0-9])AKI[AD][A-Za-z0-9]{12,60})`, undefined, 'g'),
  pattern('token', /:APA91/, String.raw`()((?<![\w-])[\w-]{8,32}:APA91[\w-]{16,512})`),
  sentencesOnly(
    pattern(
      'token',
      /(?<![\w+/*-])[\w+/*-]{20}/,
      String.raw`()((?<![\w+/*-])[\w+/*-]{20,1024}={0,2})`,
      isRandomLooking,
    ),
  ),
  sentencesOnly(
    pattern(
      'token',
      /(?<![\w+*-])[\w+*-]{20}/,
      String.raw`()((?<![\w+*-])[\w+*-]{20,1024}={0,2})`,
      isRandomLooking,
    ),
  ),
];

/** The first characters of secrets with a known beginning. A text without them holds no such secret. */
export const SECRET_BEGINNING = /eyJ|AKI[AD]|eJ[w-z]/;
/** The shortest such secret: `eyJ`, six characters, a dot and one more. */
export const SECRET_LENGTH_MIN = 11;

/**
 * For texts that are one name or one id. Patterns that rely on the form alone are left out, since a request id is as random
 * as a token and `gw_01` has the form of an account. Instead, digits after the name of an account are matched.
 */
export const LABEL_PATTERNS: readonly PersonalPattern[] = [
  ...PERSONAL_PATTERNS.filter(({ sentencesOnly: isLeftOut }) => isLeftOut !== true),
  // A usersig is zlib's output in base64. Of random ids with 40 characters or more one in 65,536 begins like it.
  pattern(
    'token',
    SECRET_BEGINNING,
    String.raw`()((?<![A-Za-z0-9])eJ[w-z][\w*+/-]{37,2048}={0,2})`,
    undefined,
    'g',
  ),
  pattern('account', NUMBERED_NAME, String.raw`(${NUMBERED_ACCOUNT})(\d{5,20})`),
  pattern('phone', NUMBERED_NAME, String.raw`(${NUMBERED_PHONE})(\d{7,20})`),
];

function sentencesOnly(original: PersonalPattern): PersonalPattern {
  return { ...original, sentencesOnly: true };
}

function pattern(
  kind: PersonalKind,
  hint: RegExp,
  source: string,
  accepts: Accepts = () => true,
  flags = 'gi',
): PersonalPattern {
  return { kind, hint, regexp: new RegExp(source, flags), accepts, beginning: undefined };
}

function accountPatterns(): PersonalPattern[] {
  const listOf = String.raw`(${ACCOUNT_NAME}(?: list)?${SEPARATOR})`;
  const chinese = `${ACCOUNT_NAME_CHINESE}\\s?`;
  return [
    pattern('account', ACCOUNT_HINT, String.raw`${listOf}(\[[^\]\r\n]{1,1024}\]?)`),
    pattern(
      'account',
      ACCOUNT_HINT,
      String.raw`(${ACCOUNT_NAME}${SEPARATOR}\\?["'“])(${QUOTED})`,
      isNoPlainWord,
    ),
    sentencesOnly(
      pattern(
        'account',
        /[a-z]_\d{2}/i,
        String.raw`()((?<![\w/.:-])[a-z]{1,24}(?:_[a-z]{1,24}){0,3}_\d{2,20}(?![\w/.:-]))`,
        isNoTableName,
      ),
    ),
    pattern(
      'account',
      /ids|accounts|\(s\)/i,
      String.raw`((?:accounts|ids|\(s\))${SEPARATOR})(${BARE}{1,128}(?:,${BARE}{1,128}){1,64})`,
    ),
    pattern(
      'account',
      ACCOUNT_HINT,
      String.raw`(${ACCOUNT_NAME}${SEPARATOR})(${BARE}{1,256})`,
      isNoPlainWord,
    ),
    pattern(
      'account',
      ACCOUNT_HINT,
      String.raw`(${ACCOUNT_NAME}(?:\s{1,3}["'“<]|\s{0,3}[[【]))(${QUOTED})`,
      isQuotedAccount,
    ),
    pattern('account', ACCOUNT_HINT, String.raw`(${ACCOUNT_NAME}\s{1,2})(${BARE}{2,128})`, isIdLike),
    pattern(
      'account',
      ACCOUNT_HINT,
      String.raw`(${ACCOUNT_NAME}\s)([A-Za-z]{2,32})${ACCOUNT_PREDICATE}`,
      isNoPlainWord,
    ),
    pattern(
      'account',
      / of | by | for |peer|forbid|kick|mute|ban/i,
      String.raw`((?:(?:profile|portrait|behalf|list) (?:of|for)|usersig for|\bpeer|\b(?:forbid|kick|mute|ban|unmute|unban)|(?:invited|dismissed|created|kicked|muted|banned|removed|sent) by)\s["']?)(${BARE}{2,128})`,
      isIdLike,
    ),
    pattern(
      'account',
      CHINESE_HINT,
      String.raw`(${chinese}[:：=]${GAP}["“'[【「])(${QUOTED})`,
      isNoPlainWord,
    ),
    pattern('account', CHINESE_HINT, String.raw`(${chinese}["“'[【「])(${QUOTED})`, isNoPlainWord),
    pattern('account', CHINESE_HINT, String.raw`(${chinese}[:：=]${GAP})(${BARE}{1,128})`, isNoPlainWord),
    pattern('account', CHINESE_HINT, String.raw`(${chinese})([A-Za-z0-9][\w.-]{1,127})`, isNameAmongChinese),
  ];
}

function phonePatterns(): PersonalPattern[] {
  const hint = /\d.{0,3}\d.{0,3}\d.{0,3}\d.{0,3}\d.{0,3}\d.{0,3}\d/;
  const ends = String.raw`(?![\dA-Za-z_]|\.\d)`;
  return [
    sentencesOnly(
      pattern(
        'phone',
        hint,
        String.raw`(${PHONE_NAME}["']?\s{0,3}[:=：]?\s{0,3}["“]?)(\+?\(?\d[\d ().-]{4,22}\d)${ends}`,
        (value) => isPhoneNumber(value, 7),
      ),
    ),
    pattern('phone', /\+\d/, String.raw`()((?<![\w+])\+\d[\d ().-]{6,22}\d)${ends}`, (value) =>
      isPhoneNumber(value, 8),
    ),
    pattern(
      'phone',
      hint,
      String.raw`()((?<![\w.+-])(?:(?:\+|00)?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2})${ends}(?!\s?(?:us|ns|ms|bytes|B)\b)`,
      isNoCounter,
    ),
    sentencesOnly(
      pattern('phone', hint, String.raw`()((?<![\w.-])\(?0\d{2,3}\)?[ -]\d{3,4}[ -]?\d{4})${ends}`),
    ),
    sentencesOnly(
      pattern('phone', hint, String.raw`()((?<![\w.-])(?:\(\d{3}\) ?|\d{3}-)\d{3}-\d{4})${ends}`),
    ),
  ];
}

function addressPatterns(): PersonalPattern[] {
  const octet = String.raw`(?:25[0-5]|2[0-4]\d|1?\d?\d)`;
  return [
    pattern(
      'ip',
      /:.*:/,
      String.raw`()((?<![\w:.[])(?:\[[\da-f:.]{3,45}(?:%\w{1,15})?\](?::\d{1,5})?|[\da-f:.]{3,45}(?:%\w{1,15})?(?:\/\d{1,3})?)(?![\w]))`,
      isIpv6Text,
    ),
    pattern(
      'ip',
      /\d\.\d/,
      String.raw`()((?<![\d.])${octet}(?:\.${octet}){3}(?!\.?\d)(?::\d{1,5}|\/\d{1,2})?)`,
      isNoVersion,
    ),
  ];
}

/** The first letter or digit of the local part before the sign; `at` if there is none. */
function localPartBeginning(text: string, at: number, taken: Uint8Array): number {
  let beginning = at;
  const farthest = Math.max(0, at - LOCAL_PART_LENGTH_MAX);
  for (let place = at - 1; place >= farthest && taken[place] === 0; place--) {
    const character = text.charAt(place);
    if (LETTER_OR_DIGIT.test(character)) beginning = place;
    else if (!OTHER_IN_LOCAL_PART.test(character)) break;
  }
  return beginning;
}

/** After `=` or an opening quote any value counts, else only a text that is not a plain word of the sentence. */
function isNoPlainWord(value: string, _text: string, _start: number, prefix: string): boolean {
  return /[=:：]\s{0,3}\\?["'“[【「]$|=\s{0,3}$/.test(prefix) ? !isAbsentWord(value) : !isPlainWord(value);
}

/** After `=` any value is a secret, after `:` only a text that is not a plain word of the sentence. */
function isSecretAfterName(value: string, _text: string, _start: number, prefix: string): boolean {
  if (prefix.includes('=')) return !isAbsentWord(value);
  if (isPlainWord(value)) return false;
  return /pass|pwd|密码|口令|验证码/i.test(prefix) || looksSecret(value);
}

/** Letters and digits together, or a random-looking text; no date. */
function looksSecret(value: string): boolean {
  if (value.length < 6 || /^\d{4}-\d\d-\d\d/.test(value)) return false;
  return (/\d/.test(value) && /[A-Za-z]/.test(value)) || isRandomLooking(value);
}

/** A name in quotes, not a quoted sentence: names are short. */
function isQuotedAccount(value: string): boolean {
  // Splits at most four words: a text full of opening quotes calls this at each of them.
  return !isPlainWord(value) && value.split(' ', 4).length <= 3;
}

/** Whether an unquoted value after "user" or "account" is an id: digits, or parts joined by `_` or `.`. */
function isIdLike(value: string): boolean {
  if (isPlainWord(value) || /^(?:\d{4}-\d\d-\d\d|\d{1,9}(?:%|[kmg]?b|[mun]?s)$)/i.test(value)) return false;
  if (isIpv6Text(value.replace(/%.*$/, ''))) return false;
  if (/^[\d.:/]+$/.test(value)) return /^\d{5,}$/.test(value);
  return (value.length >= 4 && /\d/.test(value)) || /^\w+[_.]\w+$/.test(value);
}

function isNameAmongChinese(value: string): boolean {
  if (isPlainWord(value) || /^\d+$/.test(value)) return value.length >= 5 && !isPlainWord(value);
  return isIdLike(value) || /^[A-Za-z]{2,}$/.test(value);
}

function isPhoneNumber(value: string, digitsMin: number): boolean {
  const digits = value.replaceAll(/\D/g, '').length;
  return digits >= digitsMin && digits <= 15 && !/^\d{4}-\d\d-\d\d/.test(value);
}

/** Names of tables, indexes and shards end with numbers too. */
function isNoTableName(value: string, text: string, start: number): boolean {
  if (/^(?:im|idx|tbl|table|db|shard|part|err|error|code|http|utf)_/i.test(value)) return false;
  const before = text.slice(Math.max(0, start - 16), start);
  return !/(?:table|index|shard|topic|partition|database|key|column)[\s"'`:=]{1,3}$/i.test(before);
}

function isNoCounter(_value: string, text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - 24), start);
  return !/(?:seq|sequence|offset|random|count|total|size|bytes|length|completed)["'\s:=]{0,4}$/i.test(
    before,
  );
}

function isNoTraceId(_value: string, text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - 24), start);
  return !/(?:trace|span|request|req|correlation|commit|message|msg)[_ -]?(?:id)?["'\s:=]{0,4}$/i.test(
    before,
  );
}

function isNoVersion(_value: string, text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - 16), start);
  return !/(?:(?:^|[^A-Za-z])v|version|(?:^|[^A-Za-z])ver\.?|sdk|release|build|[a-z]\/)[\s:=]{0,3}$/i.test(
    before,
  );
}

function isIpv6Text(value: string): boolean {
  if (value === '::') return false;
  const address = /^\[?([\da-f:.]+)/i.exec(value)?.[1] ?? '';
  return isIPv6(address);
}
