/*
 * The names of fields about a person, and of credentials, that sources are known to send. They are dropped before any other
 * processing, and counted; the record is accepted. Any other unknown field causes the record to be refused, so that no
 * unforeseen data passes and a misspelt name is noticed.
 */

/** Without `_` and `-` and in lower case: `From_Account` and `from-account` are both `fromaccount`. */
const PERSONAL_FIELDS: ReadonlySet<string> = new Set([
  // The query string of an IM request (DOMAIN.md).
  'identifier',
  'usersig',
  'random',
  // Persons and their devices.
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
  // Contents.
  'message',
  'msg',
  'msgbody',
  'msgcontent',
  'requestbody',
  'responsebody',
  // Credentials.
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

/** True for a field that is dropped while its record is accepted. */
export function isPersonalField(name: string): boolean {
  // The longest name has 15 letters; longer keys, possibly megabytes, are not copied.
  return name.length <= 32 && PERSONAL_FIELDS.has(name.replaceAll(/[_-]/g, '').toLowerCase());
}
