import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { HttpError } from '@imscope/runtime/http-errors.js';
import { createLogger } from '@imscope/runtime/logger.js';
import { NO_APPLICATION_SETTINGS } from '../src/application-settings.js';
import { openApplicationsFile } from '../src/applications-file.js';
import { mayUse } from '../src/grant.js';
import { hashToken } from '../src/tokens.js';

const WRITE = 'write-token-0123456789';
const NEXT = 'write-token-9876543210';
const READ = 'read-token-0123456789';
const logger = createLogger('test', 'error', { write: () => undefined });
let directory: string;

before(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'imscope-applications-'));
});
after(() => rmSync(directory, { recursive: true }));

function writeFile(name: string, content: unknown): string {
  const file = path.join(directory, name);
  const complete = `${file}.new`;
  writeFileSync(complete, typeof content === 'string' ? content : JSON.stringify(content));
  renameSync(complete, file);
  return file;
}

const GATEWAY = { name: 'gateway-1', sha256: hashToken(WRITE), scope: 'write', applications: 'all' };
const DASHBOARD = { name: 'dashboard', sha256: hashToken(READ), scope: 'read', applications: [7, 9] };
const VALID = { tokens: [GATEWAY, DASHBOARD] };

function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof HttpError);
    return error.code;
  }
  return 'none';
}

test('a token allows its scope and applications, and nothing else', async () => {
  const access = openApplicationsFile(writeFile('valid.json', VALID), logger);
  const grant = access.authenticate(`Bearer ${READ}`, 'read');
  assert.deepEqual([grant.name, mayUse(grant, 7), mayUse(grant, 8)], ['dashboard', true, false]);
  assert.equal(mayUse(access.authenticate(`bearer ${WRITE}`, 'write'), 123), true);
  assert.equal(
    refusal(() => access.authenticate(`Bearer ${READ}`, 'write')),
    'not_allowed',
  );
  assert.equal(
    refusal(() => access.authenticate('Bearer no-such-token-anywhere', 'read')),
    'invalid_token',
  );
  for (const header of [undefined, '', 'Basic abc', 'Bearer', 'Bearer short', `Bearer ${READ} ${READ}`]) {
    assert.equal(
      refusal(() => access.authenticate(header, 'read')),
      'missing_token',
      String(header),
    );
  }
  await access.stop();
});

test('two tokens of one name are valid at the same time, each until it expires', async () => {
  let nowMs = Date.parse('2030-01-01T00:00:00Z');
  const old = { ...GATEWAY, expires: '2030-01-01T01:00:00Z', records_per_second_max: 500 };
  const next = { ...GATEWAY, sha256: hashToken(NEXT), records_per_second_max: 500 };
  const file = writeFile('rotation.json', { tokens: [old, next] });
  const access = openApplicationsFile(file, logger, { now: () => nowMs });
  const grants = [WRITE, NEXT].map((token) => access.authenticate(`Bearer ${token}`, 'write'));
  assert.deepEqual(
    grants.map(({ name, recordsPerSecondMax }) => [name, recordsPerSecondMax]),
    [
      ['gateway-1', 500],
      ['gateway-1', 500],
    ],
  );
  nowMs = Date.parse(old.expires);
  assert.equal(
    refusal(() => access.authenticate(`Bearer ${WRITE}`, 'write')),
    'invalid_token',
  );
  assert.equal(access.find(hashToken(WRITE), 'write'), undefined);
  assert.equal(access.authenticate(`Bearer ${NEXT}`, 'write').name, 'gateway-1');
  await access.stop();
});

test('an application has its own settings, else the defaults, else no limits', async () => {
  const access = openApplicationsFile(
    writeFile('applications.json', {
      ...VALID,
      application_defaults: { quota_per_second: 100, limit_per_second: 5_000 },
      applications: [
        { sdk_app_id: 7, quota_per_second: 200, codes: { '90992': 'caller_error', '-5': 'success' } },
        { sdk_app_id: 8, limit_per_second: 100 },
      ],
    }),
    logger,
  );
  const settings = [7, 8, 9].map((id) => access.applicationSettings(id));
  assert.deepEqual(
    settings.map(({ quotaPerSecond, limitPerSecond, codes }) => [quotaPerSecond, limitPerSecond, [...codes]]),
    [
      [
        200,
        5_000,
        [
          [90_992, 'caller_error'],
          [-5, 'success'],
        ],
      ],
      [100, 100, []],
      [100, 5_000, []],
    ],
  );
  await access.stop();
  const bare = openApplicationsFile(writeFile('bare.json', VALID), logger);
  assert.deepEqual(bare.applicationSettings(7), NO_APPLICATION_SETTINGS);
  await bare.stop();
});

test('a malformed file is refused with the place, the value and what is allowed', async () => {
  const third = [NEXT, 'x', 'y'].map((token) => ({ ...GATEWAY, sha256: hashToken(token) }));
  const application = { sdk_app_id: 7 };
  const cases: [content: unknown, message: RegExp][] = [
    ['not json', /malformed: it is not JSON: give \{"tokens"/],
    [
      { tokens: [{ ...GATEWAY, scope: 'owner' }] },
      /at \/tokens\/0\/scope stands "owner": give "write", "read", "requests" or "admin"/,
    ],
    [
      { tokens: [], applications: [{ sdk_app_id: 7, name: 'Chat' }] },
      /at \/applications\/0\/name stands a name that is unknown here: leave it out/,
    ],
    [{ tokens: [{ ...GATEWAY, sha256: 'abc' }] }, /at \/tokens\/0\/sha256 stands "abc": give the SHA-256/],
    [
      { tokens: [{ ...GATEWAY, records_per_second_max: 0 }] },
      /at \/tokens\/0\/records_per_second_max stands 0/,
    ],
    [
      { tokens: [{ ...GATEWAY, expires: '2030-13-41T00:00:00Z' }] },
      /at \/tokens\/0\/expires stands "2030-13-41/,
    ],
    [{ tokens: [{ ...GATEWAY, expires: 'soon' }] }, /at \/tokens\/0\/expires stands "soon": give RFC 3339/],
    [{ tokens: [GATEWAY, GATEWAY] }, /at \/tokens\/1\/sha256 stands .* a second time/],
    [{ tokens: third }, /at \/tokens\/2\/name stands "gateway-1" a third time: give a name to at most two/],
    [
      { tokens: [GATEWAY, { ...GATEWAY, sha256: hashToken(NEXT), applications: [7] }] },
      /at \/tokens\/1 stands another scope, applications or records_per_second_max/,
    ],
    [
      { ...VALID, applications: [{ ...application, codes: { '5': 'fine' } }] },
      /at \/applications\/0\/codes\/5 stands "fine": give an object .* success, caller_error/,
    ],
    [
      { ...VALID, applications: [{ ...application, codes: { '9999999999': 'success' } }] },
      /at \/applications\/0\/codes stands 9999999999: give codes that are 32-bit/,
    ],
    [
      { ...VALID, applications: [{ ...application, quota_per_second: 9, limit_per_second: 8 }] },
      /at \/applications\/0\/limit_per_second stands 8, less than the quota of 9/,
    ],
    [
      { ...VALID, applications: [application, application] },
      /at \/applications\/1\/sdk_app_id stands 7 a second/,
    ],
    [{ ...VALID, aplications: [] }, /stands/],
  ];
  for (const [content, message] of cases) {
    assert.throws(() => openApplicationsFile(writeFile('wrong.json', content), logger), message);
  }
  assert.throws(() => openApplicationsFile(path.join(directory, 'missing.json'), logger), /cannot be read/);
});

test('a changed file takes effect without a restart; while it is malformed, the last good content stays in force', async () => {
  const file = writeFile('changing.json', VALID);
  const errors: string[] = [];
  const watching = createLogger('test', 'error', { write: (line) => errors.push(line) });
  const access = openApplicationsFile(file, watching, { reloadIntervalMs: 20 });
  const changed = async (content: unknown, until: () => boolean): Promise<void> => {
    writeFile('changing.json', content);
    const deadline = Date.now() + 10_000;
    while (!until()) {
      if (Date.now() > deadline) assert.fail('the change was not taken in 10 s');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const writes = (): string => refusal(() => access.authenticate(`Bearer ${WRITE}`, 'write'));
  await changed({ tokens: [DASHBOARD] }, () => writes() === 'invalid_token');
  await changed('{broken', () => access.failure() !== undefined);
  assert.match(access.failure() ?? '', /malformed: it is not JSON/);
  assert.equal(access.authenticate(`Bearer ${READ}`, 'read').name, 'dashboard');
  await changed(VALID, () => writes() === 'none');
  assert.equal(access.failure(), undefined);
  assert.equal(errors.length, 1);
  await access.stop();
});

test('a token of an administrator may read, and may not write', async () => {
  const admin = { ...DASHBOARD, scope: 'admin' };
  const access = openApplicationsFile(writeFile('admin.json', { tokens: [admin] }), logger);
  assert.equal(access.authenticate(`Bearer ${READ}`, 'read').scope, 'admin');
  assert.equal(access.authenticate(`Bearer ${READ}`, 'admin').name, 'dashboard');
  assert.equal(access.find(hashToken(READ), 'read')?.name, 'dashboard');
  const writes = refusal(() => access.authenticate(`Bearer ${READ}`, 'write'));
  assert.equal(writes, 'not_allowed');
  await access.stop();
});

test('status, region and logged share of an application come from the file', async () => {
  const own = { sdk_app_id: 7, status: 'terminated', region: 'singapore', logged_share: 0.1 };
  const access = openApplicationsFile(writeFile('states.json', { ...VALID, applications: [own] }), logger);
  const { known, status, region, loggedShare } = access.applicationSettings(7);
  assert.deepEqual([known, status, region, loggedShare], [true, 'terminated', 'singapore', 0.1]);
  assert.deepEqual([...access.terminated()], [7]);
  assert.equal(access.applicationSettings(8).known, false);
  await access.stop();
  const wrong: [application: object, message: RegExp][] = [
    [{ status: 'gone' }, /status stands "gone": give one of active, suspended, terminated/],
    [{ region: 'Singapore' }, /region stands "Singapore": give a region in lower-case/],
    [{ logged_share: 0 }, /logged_share stands 0: give a number from 0.001 to 1/],
  ];
  for (const [application, message] of wrong) {
    const file = { ...VALID, applications: [{ sdk_app_id: 7, ...application }] };
    assert.throws(() => openApplicationsFile(writeFile('states-wrong.json', file), logger), message);
  }
});

test('limits and waits of single interfaces come from the file', async () => {
  const interfaces = { 'openim/sendmsg': { limit_per_second: 500 }, 'openim/getmsg': { waits: true } };
  const file = { ...VALID, applications: [{ sdk_app_id: 7, interfaces }] };
  const access = openApplicationsFile(writeFile('interfaces.json', file), logger);
  assert.deepEqual(
    [...access.applicationSettings(7).interfaces],
    [
      ['openim/sendmsg', { limitPerSecond: 500, waits: false }],
      ['openim/getmsg', { limitPerSecond: null, waits: true }],
    ],
  );
  await access.stop();
  const wrong = { ...VALID, applications: [{ sdk_app_id: 7, interfaces: { 'a/b': { waits: 1 } } }] };
  assert.throws(
    () => openApplicationsFile(writeFile('interfaces-wrong.json', wrong), logger),
    /waits stands 1: give true or false/,
  );
});
