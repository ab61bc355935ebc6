import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromByteText, toByteText, tokens } from '../src/sql-tokens.js';
import { StoreError } from '../src/store-error.js';

const texts = (sql: string): string[] => [...tokens(toByteText(sql))].map(({ text }) => text);

test('words are in capitals, quoted names, strings and numbers as written', () => {
  assert.deepEqual(texts("select a_1, `b c`, \"d\", 'e''f\\'g', 1.5e3, 0xFF"), [
    'SELECT',
    'A_1',
    ',',
    '`b c`',
    ',',
    '"d"',
    ',',
    "'e''f\\'g'",
    ',',
    '1.5e3',
    ',',
    '0xFF',
  ]);
});

test('comments of every kind are skipped, also those that contain quotes', () => {
  assert.deepEqual(texts("a -- it's\nb /* don't ; */ c # x'\nd #!y\ne"), ['A', 'B', 'C', 'D', 'E']);
});

test('a heredoc is one string with any content', () => {
  assert.deepEqual(texts("select $q$ it's ; -- $$ $q$ x"), ['SELECT', "$q$ it's ; -- $$ $q$", 'X']);
});

test('an unclosed quote, comment or heredoc is refused with code 62', () => {
  for (const sql of ["select 'a", 'select `a', 'select "a', 'select /* a', 'select $x$ a', "select 'a\\'"])
    assert.throws(
      () => texts(sql),
      (error) => error instanceof StoreError && error.code === 62,
      sql,
    );
});

test('typographic quotes, which the engine reads as quotes, are refused', () => {
  assert.throws(() => texts('select ‘a’'), /typographic quote/);
  assert.deepEqual(texts("select '‘a’'"), ['SELECT', toByteText("'‘a’'")]);
});

test('tokens never overlap, and only blanks and comments are between them', () => {
  const piece = fc.constantFrom(
    'select',
    "'a''b'",
    '`q`',
    '"r"',
    '/* c */',
    '-- d\n',
    '(',
    ')',
    '{x:Int8}',
    '1.5',
    'ü',
    ';',
    '$t$ u $t$',
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const sql = toByteText(pieces.join(' '));
      let at = 0;
      for (const token of tokens(sql)) {
        assert.ok(token.start >= at && token.end > token.start);
        assert.match(sql.slice(at, token.start), /^(?:\s|\/\* c \*\/|-- d\n)*$/);
        at = token.end;
      }
    }),
  );
});

test('byte text preserves every text', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => fromByteText(toByteText(text)) === text));
});
