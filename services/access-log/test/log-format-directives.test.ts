import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chooseLogFormat, readLogFormats } from '../src/log-format-directives.js';

const CONFIGURATION = `
user www-data; # log_format no '$status';
events { worker_connections 768; }
http {
  # log_format commented '$status';
  log_format  main  '$remote_addr - $remote_user [$time_local] "$request" '
                    '$status $body_bytes_sent "$http_referer" '
                    "\\"$http_user_agent\\" it's";
  log_format im escape=json '{"time":"$time_iso8601",'   # the time; of day
      '"request":"$request", "brace": "{;}"}';
  log_format bare $remote_addr\\ $status;
  server { location ~ "^/a{2};" { return 200 'log_format fake "$status";'; } }
}`;

test('formats are read as nginx reads them: joined quotes, escapes, comments, bare words', () => {
  assert.deepEqual(readLogFormats(CONFIGURATION), [
    {
      name: 'main',
      escape: 'default',
      text: `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" it's`,
    },
    {
      name: 'im',
      escape: 'json',
      text: '{"time":"$time_iso8601","request":"$request", "brace": "{;}"}',
    },
    { name: 'bare', escape: 'default', text: '$remote_addr\\ $status' },
  ]);
});

test('a format is chosen by name, or is the only one', () => {
  const formats = readLogFormats(CONFIGURATION);
  assert.equal(chooseLogFormat(formats, 'im').escape, 'json');
  assert.equal(chooseLogFormat(formats.slice(0, 1), undefined).name, 'main');
  assert.throws(() => chooseLogFormat(formats, undefined), /main, im, bare.*choose one by its name/);
  assert.throws(() => chooseLogFormat(formats, 'other'), /no log_format "other".*main, im, bare/);
  assert.throws(() => chooseLogFormat([], undefined), /no log_format in this file/);
});

test('mistakes are named with their place', () => {
  assert.throws(() => readLogFormats("http {\n log_format main '$status;\n}"), /line 2.*quote is not closed/);
  assert.throws(() => readLogFormats('log_format main;'), /needs a name and a text/);
  assert.throws(
    () => readLogFormats("log_format main escape=html '$status';"),
    /escape=html.*default, json, none/,
  );
});

test('a text survives being quoted as nginx wants it, in one piece or several', () => {
  const piece = fc.string({
    unit: fc.constantFrom('a', ' ', '"', "'", '\\', '$', '{', '}', ';', '#', '\n'),
    maxLength: 20,
  });
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), (pieces) => {
      const quoted = pieces.map((text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`);
      // A text that begins like the option would be taken for it by nginx too; pieces here cannot.
      assert.deepEqual(readLogFormats(`log_format x ${quoted.join('\n  ')};`), [
        { name: 'x', escape: 'default', text: pieces.join('') },
      ]);
    }),
  );
});

test('any text is read or refused with a LogFormatError, in bounded time', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("'", '"', '\\', ' ', ';', '{', 'log_format', 'a'), maxLength: 200 }),
      (text) => {
        try {
          readLogFormats(text);
        } catch (error) {
          assert.equal(error instanceof Error && error.constructor.name, 'LogFormatError');
        }
      },
    ),
  );
});
