import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { interfaceName } from '../src/intake/interface-name.js';
import { isRejection } from '../src/intake/reject-reasons.js';

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

test('names of services, commands and versions stay as they are', () => {
  for (const name of [
    'openim/sendmsg',
    'im_open_login_svc/account_import',
    'group_open_http_svc/send_group_msg',
    'v4/openim/sendmsg',
    'openim/admin_getroammsg',
    'sns/friend_add_v2',
    'im/SendC2CMessage',
    'open_msg_svc/get_history',
    'api/v1.2/feed',
    'GroupOpenHttpService/ModifyGroupBaseInfo',
    'deadbeef/facade',
    'users/{id}',
    'oauth2/callback',
    'other/overflow',
  ]) {
    let taken = 0;
    assert.equal(
      interfaceName(name, () => (taken += 1)),
      name,
    );
    assert.equal(taken, 0);
  }
});

test('each name that ids were taken out of is told once', () => {
  let taken = 0;
  interfaceName('/v4/a/1/b/2', () => (taken += 1));
  assert.equal(taken, 1);
});

test('whatever the text, a name keeps no number of five digits and naming it again changes nothing', () => {
  const path = fc.array(fc.oneof(fc.string(), fc.uuid(), fc.nat().map(String), fc.constant('openim')), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(path, (segments) => {
      const name = interfaceName(segments.join('/'));
      if (isRejection(name)) return;
      assert.doesNotMatch(name, /\d{5}/);
      // A name may itself begin with `v4`, which is taken off only behind a slash.
      assert.equal(interfaceName(name), name);
    }),
  );
});
