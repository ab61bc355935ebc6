import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '@imscope/runtime/config.js';
import { COLLECTOR_SETTINGS } from '../../src/config.js';
import { checkCollectorSettings } from '../../src/check-settings.js';
import { createTailReader } from '../../src/tail/tail-settings.js';
import { lineRejection } from '../../src/tail/line-reader.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-settings-'));
after(() => rmSync(directory, { recursive: true }));

function load(environment: Record<string, string>) {
  const base = {
    KAFKA_BROKERS: '127.0.0.1:9092',
    SPOOL_DIR: '/nowhere',
    TAIL_FILES: '/var/log/nginx/access.log',
  };
  const loaded = loadConfig(COLLECTOR_SETTINGS, { ...base, COLLECTOR_LISTEN: 'false', ...environment });
  assert(loaded.ok, loaded.ok ? '' : loaded.errors.join());
  return loaded.config;
}

const errorsOf = (environment: Record<string, string>): string =>
  checkCollectorSettings(load(environment)).join('\n');

const USABLE = '$remote_addr $msec "$request" $request_time "$upstream_http_x_im_code"';

test('settings that contradict each other are refused before anything starts, with what to set instead', () => {
  for (const [environment, expected] of [
    [{}, /^$/],
    [{ TAIL_FORMAT: 'clb' }, /^$/],
    [{ TAIL_FORMAT: 'ndjson' }, /^$/],
    [{ TAIL_LOG_FORMAT: USABLE, TAIL_CODE_VARIABLE: 'upstream_http_x_im_code' }, /^$/],
    [{ TAIL_FILES: '' }, /COLLECTOR_LISTEN.*TAIL_FILES is not set/],
    [{ COLLECTOR_LISTEN: 'true' }, /REGISTRY_FILE is not set/],
    [{ COLLECTOR_LISTEN: 'true', REGISTRY_FILE: 'x', TAIL_FILES: '', TAIL_NODE: 'n' }, /TAIL_NODE tell how/],
    [
      { TAIL_FORMAT: 'ndjson', TAIL_REGION: 'r', TAIL_APPLICATION: '5' },
      /TAIL_APPLICATION, TAIL_REGION.*leave/,
    ],
    [{ TAIL_LOG_FORMAT: '$remote_addr $msec "$request"' }, /no \$request_time/],
    [{ TAIL_LOG_FORMAT: '$msec "$request" $request_time' }, /lacks the caller's address/],
    [{ TAIL_LOG_FORMAT: '$remote_addr$msec' }, /nothing stands between/],
    [{ TAIL_LOG_FORMAT: `"$scheme://$host$request_uri" ${USABLE}` }, /^$/],
    [
      { TAIL_LOG_FORMAT: `log_format x '{\n  $msec ${USABLE}\n}';` },
      /TAIL_LOG_FORMAT: the log format has a line break.*over 3 lines.*quotes of its own/,
    ],
    [{ TAIL_LOG_FORMAT: USABLE, TAIL_CODE_VARIABLE: 'other' }, /lacks the code variable \(\$other\)/],
    [{ TAIL_CODE_VARIABLE: 'code' }, /the usual format has no \$code/],
    [{ TAIL_LOG_FORMAT: USABLE, TAIL_LOG_FORMAT_FILE: 'x' }, /not both/],
    [{ TAIL_LOG_FORMAT_NAME: 'x' }, /needs TAIL_LOG_FORMAT_FILE/],
    [{ TAIL_LOG_FORMAT_FILE: '/nowhere/nginx.conf' }, /\/nowhere\/nginx\.conf cannot be read/],
  ] as const) {
    assert.match(errorsOf(environment), expected, JSON.stringify(environment));
  }
});

test('a log format is accepted as nginx has it: its text, the complete directive over several lines, or its file', () => {
  const directive = `log_format im escape=json\n  '{"ip":"$remote_addr","at":$msec,'\n  '"request":"$request","took":$request_time}';`;
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, `http {\n  log_format other '$msec';\n  ${directive}\n}`);
  const bytes = Buffer.from(
    `{"ip":"192.0.2.1","at":1.000,"request":"POST /v4/a/b?sdkappid=5 HTTP/1.1","took":0.5}`,
  );
  for (const environment of [
    { TAIL_LOG_FORMAT: directive },
    { TAIL_LOG_FORMAT_FILE: file, TAIL_LOG_FORMAT_NAME: 'im' },
  ]) {
    const { readLine } = createTailReader(load(environment));
    const record = readLine(bytes, 0, bytes.length) as {
      readonly interface: string;
      readonly sdk_app_id: number;
    };
    assert.deepEqual([record.interface, record.sdk_app_id], ['a/b', 5]);
    assert.equal(readLine(bytes, 5, bytes.length), lineRejection('malformed_line'));
  }
});
