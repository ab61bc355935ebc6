import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { interfaceName, isImPath } from '../src/interface-name.js';

function nameOf(text: string): string {
  const name = interfaceName(text);
  return typeof name === 'string' ? name : name.reason;
}

test('ids and numbers in a path become {id}', () => {
  for (const [path, name] of [
    ['/v4/group/12345/members', 'group/{id}/members'],
    ['users/7/profile', 'users/{id}/profile'],
    ['/files/7f3c9a52-1b7e-4c1f-9d55-0e7d0c2b9b11', 'files/{id}'],
    ['files/9fceb02d0ae598e95dc970b7', 'files/{id}'],
    ['group/@TGS%232J4SZEAEL/info', 'group/{id}/info'],
    ['group/@TGS#2J4SZEAEL/info', 'group/{id}/info'],
    ['users/bob@example.com/friends', 'users/{id}/friends'],
    ['users/u_13800138000', 'users/{id}'],
    ['openid/oGZUI0egBJY1zhBYw2KhdUfwVJJE', 'openid/{id}'],
    ['a/1/b/22/c/333', 'a/{id}/b/{id}/c/{id}'],
    [`files/${'aB3'.repeat(60)}`, 'files/{id}'],
  ]) {
    assert(path !== undefined && name !== undefined);
    assert.equal(interfaceName(path), name);
  }
});

test('ids and tokens of every form are recognised as ids', () => {
  for (const id of [
    '550e8400-e29b-41d4-a716-446655440000',
    '507f1f77bcf86cd799439011',
    'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    '9m4e2mr0ui3e8a215n4g',
    'k3j9x0q2m5n8',
    'cjld2cjxh0000qzrmn831i7rn',
    '0ujsswThIGTUYm2K8FjOOfXtY1K',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
    'V1StGXR8_Z5jdHi6B-myT',
    'a8098c1af86e11dabd1a00112444be1e',
    '2024-01-02',
    '1.0',
    '10.0.0.7',
    'user_42',
    'user1234',
    'group17',
    'order4711',
    'rfc12345678',
    '404',
  ]) {
    assert.equal(interfaceName(`/files/${id}/info`), 'files/{id}/info', id);
    assert.equal(interfaceName(`files/${id}/info`), 'files/{id}/info', id);
  }
});

test('names of services, commands and versions stay as they are', () => {
  for (const name of [
    'openim/sendmsg',
    'im_open_login_svc/account_import',
    'group_open_http_svc/send_group_msg',
    'v4/openim/sendmsg',
    'openim/admin_getroammsg',
    'openim/admin_c2c_msg_withdraw_v2',
    'contact/batch_get_c2c_conversation_v2',
    'im/AdminC2CMsgWithdrawV2',
    'im/BatchGetC2CConversationV2',
    'im/C2CMsgWithdrawV2ForC2C',
    'sns/friend_add_v2',
    'im/SendC2CMessage',
    'open_msg_svc/get_history',
    'api/v1.2/feed',
    'file/h264',
    'file/get_sha256',
    'file/rfc3339',
    'file/to_iso8601',
    'svc/feedface1',
    'svc/mp3_to_mp4',
    'svc/md5',
    'svc/base64_encode',
    'svc/x509',
    'svc/k8s',
    'svc/i18n',
    'svc/face2face',
    'svc/h264toh265',
    'svc/get_sha256_of_base64_utf8',
    'SVC/GET_C2C_MSG_V2',
    'account/get_user_v2',
    'GroupOpenHttpService/ModifyGroupBaseInfo',
    'deadbeef/facade',
    'svc/DEAD-BEEF-FACADE-CAFE',
    'file/GetSha256Fingerprint',
    'users/{id}',
    'oauth2/callback',
    'other/overflow',
  ]) {
    let idsRemoved = 0;
    assert.equal(
      interfaceName(name, () => (idsRemoved += 1)),
      name,
    );
    assert.equal(idsRemoved, 0);
  }
});

test('a path is the same name however it is written', () => {
  for (const path of [
    '/v4/openim/sendmsg',
    '/v4/openim/sendmsg/',
    '//v4///openim//sendmsg//',
    '/./v4/openim/./sendmsg',
    '/V4/openim/sendmsg',
    '/v4/openim/%73endmsg',
    '/v4%2Fopenim/sendmsg',
    '/v4/openim/sendmsg?sdkappid=1&usersig=x',
    '/v4/openim/sendmsg;jsessionid=5F2C',
    '/v4;a=1/openim;b=2/sendmsg/;c',
    '/openim/sendmsg',
    'openim/sendmsg',
    'openim/sendmsg/',
    'openim//sendmsg',
  ]) {
    assert.equal(nameOf(path), 'openim/sendmsg', path);
  }
  for (const path of ['/', '//', '/./', '/?a=1', '/;a']) assert.equal(nameOf(path), 'root', path);
  assert.equal(nameOf('/v4'), 'v4');
  assert.equal(nameOf('/v4/'), 'v4');
});

test('in a path what is no plain word becomes {id}; in a name it makes the name invalid', () => {
  for (const segment of [
    'send msg',
    '张三',
    'a,b',
    'messages:batchGet',
    '{name}',
    '{id',
    '+8613800138000',
    '\0',
  ]) {
    assert.equal(nameOf(`/v4/openim/${segment}`), 'openim/{id}', segment);
    assert.equal(nameOf(`openim/${segment}`), 'invalid_interface', segment);
  }
  for (const segment of ['%E5%BC%A0', 'a%ZZ', '..', '-', '_']) {
    assert.equal(nameOf(`/v4/openim/${segment}`), 'openim/{id}', segment);
    assert.equal(nameOf(`openim/${segment}`), 'openim/{id}', segment);
  }
  assert.equal(nameOf(''), 'invalid_interface');
  assert.equal(nameOf('openim/sendmsg?usersig=x'), 'invalid_interface');
});

test('a name beyond 128 characters, and a path beyond 8,192, are too long', () => {
  assert.equal(nameOf('x'.repeat(128)), 'x'.repeat(128));
  assert.equal(nameOf('x'.repeat(129)), 'too_long');
  assert.equal(nameOf(`/t/${'a1'.repeat(4_000)}`), 't/{id}');
  assert.equal(nameOf(`/t/${'a1'.repeat(5_000)}`), 'too_long');
});

test('an IM request has a version, a service and a command', () => {
  for (const path of ['/v4/openim/sendmsg', '//v4//openim//sendmsg/', '/v4/v4/x', '/V4/openim/12345']) {
    assert.equal(isImPath(path), true, path);
  }
  for (const path of ['/v4/openim', '/v4/openim/sendmsg/more', '/v3/openim/sendmsg', '/health', '/', '/v4']) {
    assert.equal(isImPath(path), false, path);
  }
});

test('each name from which ids were removed is reported once', () => {
  let idsRemoved = 0;
  interfaceName('/v4/a/1/b/2', () => (idsRemoved += 1));
  assert.equal(idsRemoved, 1);
});

test('a name from which ids are removed is reported each time it comes', () => {
  let idsRemoved = 0;
  for (let times = 0; times < 3; times++) interfaceName('/v4/room/7/close', () => (idsRemoved += 1));
  assert.equal(idsRemoved, 3);
});

test('a name of any text has plain words only and no number of five digits, and the name of a name is itself', () => {
  const wild = fc.string({
    unit: fc.constantFrom('a', '1', '/', '%', '2', 'F', '.', '@', ' ', '\0', '张', '-', '{', '}', ';', '?'),
    maxLength: 60,
  });
  const path = fc.array(fc.oneof(fc.string(), wild, fc.uuid(), fc.nat().map(String), fc.constant('openim')), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(path, (segments) => {
      for (const text of [segments.join('/'), `/${segments.join('/')}`]) {
        const name = interfaceName(text);
        if (typeof name !== 'string') continue;
        assert.doesNotMatch(name, /\d{5}/);
        assert.match(name, /^(?:\{id\}|[A-Za-z0-9_.-]+)(?:\/(?:\{id\}|[A-Za-z0-9_.-]+))*$/);
        // A name may itself begin with `v4`, which is removed only after a slash.
        assert.equal(interfaceName(name), name);
      }
    }),
    { numRuns: 2_000 },
  );
});
