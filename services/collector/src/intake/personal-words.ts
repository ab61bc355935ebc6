/*
 * The words that the patterns of personal data rely on: names of fields that hold an account or a secret, and words that
 * follow such a name without being its value ("user not found", "token: expired"). English and Chinese.
 */

/** Words that follow a field name as part of the sentence, not as its value; lower case. */
const PLAIN_WORDS: ReadonlySet<string> = new Set(
  `a access account accounts action admin agent all already an and any api apns app array as at auth authentication
  authorization bad bearer basic balance banned be been body blocked by cache callback can cannot check code config
  connection count data decode denied device disabled does done duplicate email empty error exceeded exist exists
  expired failed failure false field fields for format found from frozen full group groups has have http https id
  identifier ids illegal import in info input internal invalid ip is it key kicked level limit list locked login
  malformed manager may mismatch missing module muted must name names nickname nil no none not null number object of
  offline ok on online only operation or password permission phone platform portal privilege profile quota rate
  refused rejected relation request required response role sdk secret server service session set settings should sig
  sign signature state status store string system table timeout to token too true type undefined unknown unauthorized
  usersig user username users validation value version was wrong with yes`.split(/\s+/),
);

/** A longer text is in no case one of `PLAIN_WORDS`, so it is not converted to lower case. */
const PLAIN_WORD_LENGTH_MAX = Math.max(...Array.from(PLAIN_WORDS, (word) => word.length));

const ABSENT_WORDS: ReadonlySet<string> = new Set(
  `basic bearer bad empty expired false invalid malformed missing n/a nil none null required true undefined unknown`.split(
    ' ',
  ),
);

const PLAIN_CHINESE =
  /^(?:不|未|已|无|为空|错误|失败|过期|缺失|非法|格式|长度|数量|系统|服务|必须|不能|请|的|名|数|列表|信息|权限|签名|登录)/;

/** True for a word that says that the value is missing or invalid. */
export function isAbsentWord(text: string): boolean {
  return ABSENT_WORDS.has(text.toLowerCase());
}

/** True for a word of the sentence, false for a possible value. */
export function isPlainWord(text: string): boolean {
  if (text.length <= PLAIN_WORD_LENGTH_MAX && PLAIN_WORDS.has(text.toLowerCase())) return true;
  return PLAIN_CHINESE.test(text);
}

/** Names of fields that hold an account; camelCase and prefixes such as `From_` and `login_` match too. */
export const ACCOUNT_NAME =
  String.raw`(?:identifier|accounts?(?:[_ -]?(?:id|name))?|user[_ -]?ids?(?:\(s\))?|user[_ -]?names?|nick[_ -]?name|` +
  String.raw`open[_-]?id|union[_-]?id|(?:login|member|customer)[_ -]?(?:id|name|user)|` +
  String.raw`(?<![A-Za-z])(?:user|member|customer|uids?|uin|nick|sender|receiver|recipient|owner|operator|principal|login))(?![A-Za-z0-9_])`;

export const ACCOUNT_NAME_CHINESE =
  '(?:用户(?:ID|id|Id|名|账号|帐号)?|账号|帐号|账户|帐户|昵称|姓名|发送者|发送方|接收者|接收方|操作者|操作人|成员|管理员|群主|好友|主叫|被叫|客户)';

/** Names of fields that hold a secret, also at the end of longer names such as `refreshToken` and `x-api-key`. */
export const SECRET_NAME =
  String.raw`(?:(?:user[_-]?sig|(?<![A-Za-z])sig|signature|token|secret(?:[_ -]?(?:key|id))?|(?:api|app|access|private|session)[_ -]?key(?:[_-]?id)?|` +
  String.raw`password|passwd|pwd|passphrase|credentials?|authorization|ticket|session[_-]?id|(?<![A-Za-z])(?:random|nonce|regid))(?![A-Za-z0-9_])|密码|口令|令牌|密钥|签名|验证码)`;

export const PHONE_NAME =
  '(?:phone(?:[_ ]?(?:number|no))?|mobile(?:[_ ]?(?:number|no))?|(?<![A-Za-z])(?:tel|telephone|cell|call|fax|whatsapp)|手机(?:号码?)?|电话(?:号码)?|座机|号码)';
