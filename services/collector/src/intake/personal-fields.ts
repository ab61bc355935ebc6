/*
 * Fields about a person, and credentials, that sources are known to send along. They are dropped before
 * anything else sees them, and counted; the record itself is taken. Any other unknown field refuses the
 * record, so that nothing unforeseen slips through and a misspelt name does not go unnoticed.
 */

/** Without `_` and `-` and in lower case: `From_Account` and `from-account` are both `fromaccount`. */
const PERSONAL_FIELDS: ReadonlySet<string> = new Set([
  // The query string of an IM request (DOMAIN.md).
  'identifier',
  'usersig',
  'random',
  // Who it was.
  'userid',
  'uid',
  'username',
  'nickname',
  'nick',
  'account',
  'fromaccount',
  'toaccount',
  'memberaccount',
  'adminaccount',
  'operatoraccount',
  'phone',
  'phonenumber',
  'mobile',
  'email',
  'deviceid',
  'deviceip',
  'clientip',
  'referer',
  'useragent',
  // What was said.
  'message',
  'msg',
  'msgbody',
  'msgcontent',
  'requestbody',
  'responsebody',
  // How it signed in.
  'token',
  'accesstoken',
  'refreshtoken',
  'authorization',
  'cookie',
  'password',
  'secret',
  'secretkey',
  'signature',
  'sig',
]);

/** True for a field of a source that is dropped without refusing the record. */
export function isPersonalField(name: string): boolean {
  // The longest name is 13 letters; a hostile key of megabytes is not worth a copy.
  return name.length <= 32 && PERSONAL_FIELDS.has(name.replaceAll(/[_-]/g, '').toLowerCase());
}
