import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PERSONAL_PATTERNS } from '../src/intake/personal-patterns.js';
import { findPersonalSpans, scrubText } from '../src/intake/scrub-text.js';
import { measureScrubbing, readLabelled, type Tally } from './labelled-messages.js';

const LABELLED = readLabelled('scrub-labelled.jsonl');
const HELD_OUT = readLabelled('scrub-held-out.jsonl');
const SECOND_LOOK = readLabelled('scrub-second-look.jsonl');

function print(tally: ReadonlyMap<string, Tally>): string {
  return Array.from(
    tally,
    ([kind, { labelled, gone, found, right }]) =>
      `${kind}: ${gone} of ${labelled} gone, ${right} of ${found} right`,
  ).join('\n');
}

test('the sets have at least 300 messages, a third with nothing to replace', () => {
  const all = [...LABELLED, ...HELD_OUT, ...SECOND_LOOK];
  assert(all.length >= 300);
  assert(all.filter(({ spans }) => spans.length === 0).length >= all.length / 3);
  assert.equal(new Set(all.map(({ text }) => text)).size, all.length);
});

for (const { name, messages, recallMin, precisionMin } of [
  {
    name: 'the messages that the patterns were made with',
    messages: LABELLED,
    recallMin: 1,
    precisionMin: 1,
  },
  { name: 'the held-out messages', messages: HELD_OUT, recallMin: 0.98, precisionMin: 0.98 },
  { name: 'the messages of the second look', messages: SECOND_LOOK, recallMin: 0.96, precisionMin: 0.98 },
]) {
  test(`of ${name} at least ${recallMin} is taken out, at least ${precisionMin} of it rightly`, (context) => {
    const tally = measureScrubbing(messages);
    context.diagnostic(print(tally));
    let [labelled, gone, found, right] = [0, 0, 0, 0];
    for (const of of tally.values()) {
      labelled += of.labelled;
      gone += of.gone;
      found += of.found;
      right += of.right;
      assert(of.gone >= 0.92 * of.labelled && of.right >= 0.95 * of.found, print(tally));
    }
    assert(gone >= recallMin * labelled, `recall ${gone / labelled}\n${print(tally)}`);
    assert(right >= precisionMin * found, `precision ${right / found}\n${print(tally)}`);
  });
}

test('a placeholder replaces the piece and the rest is unchanged', () => {
  assert.deepEqual(
    scrubText('user bob_1987 (mail bob@example.com) refused by 10.0.0.7:80 after 3000 ms, code 20003'),
    {
      text: 'user <account> (mail <email>) refused by <ip> after 3000 ms, code 20003',
      replaced: 3,
    },
  );
  assert.deepEqual(scrubText(''), { text: '', replaced: 0 });
});

test('placeholders of an earlier scrubbing are neither names nor values', () => {
  for (const text of [
    'user <account> not found',
    'token=<token>',
    '"From_Account":"<account>"',
    '<ip>:<ip>',
  ]) {
    assert.deepEqual(scrubText(text), { text, replaced: 0 });
  }
});

/** Beginnings, values and marks of messages; in any order, matches begin, end and overlap in every way. */
const PIECES = [
  'user ',
  'account "',
  'identifier=',
  '"From_Account":"',
  'token: ',
  'usersig=',
  '用户',
  '昵称：',
  '<ip>',
]
  .concat([
    'bob_1987',
    'alice',
    'a@b.cn',
    '@TGS#2J4',
    '13800138000',
    '+86 138 0013 8000',
    '10.0.0.7:80',
    '::1',
  ])
  .concat([
    'eJwtzEELgjAYxvHvsnPIpm',
    'Bearer abc123def',
    '?a=b&c=d',
    '://x:y@',
    'Cookie: a=b; c',
    '<',
    '>',
    ' ',
    '"',
  ])
  .concat(['=', ':', '.', '，', ' not found', '@', '-', '[', ']', '\n', '%40', '\\"']);

const pieces = fc
  .array(
    fc.oneof(
      fc.constantFrom(...PIECES),
      fc.string({ maxLength: 6 }),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { maxLength: 14 },
  )
  .map((parts) => parts.join(''));

test('scrubbing is idempotent for any text', () => {
  fc.assert(
    fc.property(pieces, (text) => {
      const once = scrubText(text);
      assert.deepEqual(scrubText(once.text), { text: once.text, replaced: 0 });
      assert.equal(once.replaced === 0, once.text === text);
    }),
    { numRuns: 2_000 },
  );
});

/** Text of one kind of character, as a bracket expression names it. */
function characters(kind: string, minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.stringMatching(new RegExp(`^[${kind}]{${minLength},${maxLength}}$`));
}

const secrets = fc.oneof(
  fc.tuple(characters('a-z', 1, 12), characters('a-z', 2, 12)).map(([local, domain]) => ({
    secret: `${local}.x7@${domain}.com`,
    planted: `${local}.x7@${domain}.com`,
  })),
  characters('0-9', 9, 9).map((rest) => ({ secret: `13${rest}`, planted: `13${rest}` })),
  fc.ipV4().map((address) => ({ secret: address, planted: address })),
  characters('A-Za-z0-9', 6, 200).map((value) => ({ secret: `Zq7${value}`, planted: `usersig=Zq7${value}` })),
  characters('A-Za-z0-9', 6, 200).map((value) => ({ secret: `Zq7${value}`, planted: `Bearer Zq7${value}` })),
  characters('A-Za-z0-9', 1, 30).map((value) => ({
    secret: `u_7${value}`,
    planted: `identifier="u_7${value}"`,
  })),
  characters('A-Za-z0-9', 1, 30).map((value) => ({
    secret: `u_7${value}`,
    planted: `用户u_7${value}不存在`,
  })),
  characters('A-Za-z0-9', 1, 30).map((value) => ({
    secret: `usersig=Zq7${value}`,
    planted: `POST /v4/a/b?x=1&usersig=Zq7${value} HTTP/1.1`,
  })),
);
const SURROUNDINGS = [
  '',
  'rejected',
  'upstream timed out after 3000 ms',
  '请求失败',
  '{"ErrorCode":70003}',
  '(500)',
];
const surroundings = fc.constantFrom(...SURROUNDINGS);

test('a planted secret is replaced in any surroundings', () => {
  fc.assert(
    fc.property(surroundings, secrets, surroundings, (before, { secret, planted }, after) => {
      const { text, replaced } = scrubText(`${before} ${planted} ${after}`);
      assert(replaced > 0);
      assert(!text.includes(secret), text);
    }),
    { numRuns: 2_000 },
  );
});

/** Texts made of what patterns repeat over, where a careless pattern would start anew at every character. */
const HOSTILE = [
  'a',
  '1',
  'aB3',
  '@',
  'a@',
  'a.',
  'a@a.',
  '?',
  '?=',
  '+1 ',
  '1-',
  '::',
  'f:',
  '1.',
  '://',
  'eJ',
  'eyJa.',
  '"',
  '[',
]
  .concat([
    'user ',
    'user=',
    'user "',
    'token ',
    'token=',
    'a=b;',
    'cookie: a=b; ',
    '用户',
    '昵称：',
    '(',
    '-',
    '_',
    '%',
    '%40',
    ' ',
  ])
  .concat([
    'accounts=a,',
    ',a',
    'a,',
    'phone 1',
    '86',
    '@TGS#',
    'Bearer ',
    'sig',
    'account',
    '138 ',
    '\\"',
    '<ip>',
    'ip:1.2.3.4 ',
    'user [',
    '密码',
    'user[user [',
  ]);

test('no pattern repeats without bound', () => {
  for (const { regexp } of PERSONAL_PATTERNS) {
    const outsideClasses = regexp.source.replaceAll(/\\./g, 'x').replaceAll(/\[[^\]]*\]/g, 'x');
    assert.doesNotMatch(outsideClasses, /[*+]|\{\d+,\}/, regexp.source);
  }
});

type Work = { readonly attempts: number; readonly characters: number };

/** How many times patterns were tried at a place of the text, and how many characters they looked at where one fitted. */
function workOn(text: string): Work {
  let [attempts, characters] = [0, 0];
  for (const { regexp } of PERSONAL_PATTERNS) {
    regexp.exec = (subject) => {
      attempts += 1;
      const match = RegExp.prototype.exec.call(regexp, subject);
      characters += match?.[0].length ?? 0;
      return match;
    };
  }
  try {
    findPersonalSpans(text);
  } finally {
    for (const { regexp } of PERSONAL_PATTERNS) Reflect.deleteProperty(regexp, 'exec');
  }
  return { attempts, characters };
}

test('work grows with the text and not faster: eight times the length takes at most ten times the attempts', () => {
  for (const unit of HOSTILE) {
    const small = workOn(unit.repeat(256 / unit.length)).attempts;
    const large = workOn(unit.repeat(2_048 / unit.length)).attempts;
    assert(large <= 10 * Math.max(small, PERSONAL_PATTERNS.length), `${unit}: ${small} → ${large}`);
  }
});

test('a text with too many refused matches is dropped entirely', () => {
  // Every name may begin a piece that reaches far, and is none.
  for (const unit of ['密码', 'user [', 'user[user[user [']) {
    const text = unit.repeat(2_048 / unit.length);
    assert.equal(scrubText(text).text, '<token>', unit);
    const { characters } = workOn(text);
    assert.ok(characters <= 4 * text.length, `${unit}: ${characters} characters of ${text.length}`);
  }
});

test('after the maximum number of pieces the rest of a text is dropped', () => {
  const text = Array.from({ length: 150 }, (_, n) => `u${n}@example.com is gone`).join(', ');
  const scrubbed = scrubText(text);
  assert.equal(scrubbed.text, `${'<email> is gone, '.repeat(50).slice(0, -10)}<token>`);
  assert.equal(scrubbed.replaced, 51);
  assert.deepEqual(scrubText(scrubbed.text), { text: scrubbed.text, replaced: 0 });
});

test('adjacent addresses are all replaced', () => {
  for (const text of [
    'a@b.com-jane@c.com-joe@d.com',
    "to=ann@b.com'bob@c.com",
    'x%40y.com/_carl.c+1@z.org',
    `${'a'.repeat(100)}@b.com`,
    'token: ab12cdbj@k.io-jane@k.io',
  ]) {
    const { text: left } = scrubText(text);
    assert.doesNotMatch(left, /jane|joe|ann|bob|carl|a@|@b/, `${text} → ${left}`);
  }
});
