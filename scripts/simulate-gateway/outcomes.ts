/*
 * Owns every way a simulated request can end: code, HTTP status, exception and cause, and the expected outcome. The
 * outcome is written here and not read from the code catalogue, so that the simulator's truth is an independent check
 * of the catalogue. No cause contains personal data, so scrubbing changes none.
 */
import type { InterfaceFamily, RestFamily } from './interfaces.js';

export type Outcome = 'success' | 'caller_error' | 'service_error' | 'unknown';

/** What determines the latency of an ending: the gateway alone, the service behind it, or a time limit. */
export type Timing = 'gateway' | 'service' | { readonly limitUs: number };

export interface Ending {
  /** Place in `ENDINGS`. */
  readonly index: number;
  readonly code: number | null;
  readonly httpStatus: number;
  readonly outcome: Outcome;
  readonly exception: string;
  readonly causes: readonly string[];
  readonly timing: Timing;
}

const endings: Ending[] = [];

function ending(
  outcome: Outcome,
  code: number | null,
  exception: string,
  causes: readonly string[],
  timing: Timing,
  httpStatus = 200,
): Ending {
  const made = { index: endings.length, code, httpStatus, outcome, exception, causes, timing };
  endings.push(made);
  return made;
}

function callerError(code: number, exception: string, cause: string, timing: Timing = 'gateway'): Ending {
  return ending('caller_error', code, exception, [cause], timing);
}

function serviceError(code: number, exception: string, ...causes: readonly string[]): Ending {
  return ending('service_error', code, exception, causes, 'service');
}

function timeLimit(
  code: number | null,
  exception: string,
  limitMs: number,
  ...causes: readonly string[]
): Ending {
  return ending(
    'service_error',
    code,
    exception,
    causes.map((cause) => `${cause} did not answer within ${limitMs} ms`),
    { limitUs: limitMs * 1000 },
    code === null ? 504 : 200,
  );
}

export const SUCCESS: Ending = ending('success', 0, '', [''], 'service');
/** An answer 200 of a gateway that does not log codes. */
export const CODELESS: Ending = ending('unknown', null, '', [''], 'service');

const upstreamTimeout = timeLimit(null, 'UpstreamTimeout', 3000, 'route-svc', 'msg-store', 'session-svc');
const upstreamRefused = ending(
  'service_error',
  null,
  'UpstreamConnectFailed',
  ['connection refused by route-svc', 'no healthy member in pool msg-store'],
  'gateway',
  502,
);

/** Failures of every interface; weights are requests in 10,000. */
const COMMON: readonly (readonly [Ending, number])[] = [
  [callerError(70001, 'UserSigExpired', 'usersig outlived its term'), 34],
  [callerError(70003, 'UserSigInvalid', 'usersig could not be decoded, perhaps cut short'), 6],
  [callerError(70013, 'UserSigMismatch', 'usersig was made for another identifier'), 4],
  [callerError(60007, 'FrequencyLimited', 'interface called more often than 200 times a second'), 24],
  [callerError(60011, 'FrequencyLimited', 'application over its limit of calls per second'), 7],
  [callerError(60002, 'HttpParseError', 'request line is not of the documented form'), 1],
  [callerError(60003, 'JsonParseError', 'body is not valid JSON'), 3],
  [callerError(60010, 'NotAdministrator', 'identifier is not an administrator of the application'), 3],
  [timeLimit(70169, 'AccountTimeout', 2000, 'account-svc'), 0.8],
  [upstreamTimeout, 1.6],
  [upstreamRefused, 0.5],
];

const OF_REST: Record<RestFamily, readonly (readonly [Ending, number])[]> = {
  message: [
    [callerError(20003, 'AccountNotFound', 'sender or receiver was never imported', 'service'), 38],
    [callerError(20006, 'CallbackRejected', 'callback before sending answered with a refusal', 'service'), 9],
    [callerError(20007, 'Blacklisted', 'receiver has blacklisted the sender', 'service'), 12],
    [callerError(20009, 'NotFriends', 'friend check is on and they are not friends', 'service'), 7],
    [callerError(90001, 'MessageBodyInvalid', 'message body is not of the documented form'), 4],
    [serviceError(20005, 'MessageInternalError', 'msg-store answered with an internal error'), 0.9],
    [serviceError(90992, 'MessageInternalError', 'callback-proxy lost its connection', 'queue is full'), 0.7],
    [serviceError(91000, 'ServiceInternalError', 'msg-route could not place the message'), 1.1],
  ],
  group: [
    [callerError(10004, 'GroupParameterInvalid', 'required field is missing or of a wrong type'), 9],
    [callerError(10007, 'GroupPermissionDenied', 'role does not permit the operation', 'service'), 8],
    [callerError(10010, 'GroupNotFound', 'group was dismissed or never existed', 'service'), 15],
    [callerError(10015, 'GroupIdInvalid', 'group id does not exist in the application'), 6],
    [callerError(10017, 'MemberMuted', 'member is muted in the group', 'service'), 16],
    [callerError(10023, 'GroupMessageLimited', 'group received more messages than its limit', 'service'), 11],
    [
      serviceError(10002, 'GroupInternalError', 'group-store shard had no leader', 'group-cache miss storm'),
      1.6,
    ],
  ],
  account: [
    [callerError(70107, 'AccountNotFound', 'account was never imported', 'service'), 21],
    [callerError(70402, 'AccountParameterInvalid', 'identifier is longer than 32 bytes'), 8],
    [serviceError(70500, 'AccountInternalError', 'account-svc answered with an internal error'), 1.2],
  ],
  relationship: [
    [callerError(30001, 'FriendParameterInvalid', 'required field is missing or of a wrong type'), 9],
    [callerError(30003, 'AccountNotFound', 'account was never imported', 'service'), 14],
    [callerError(30010, 'FriendLimitReached', 'friend list is full', 'service'), 5],
    [callerError(30515, 'Blacklisted', 'the other account is on the own blacklist', 'service'), 6],
    [serviceError(30006, 'FriendInternalError', 'sns-store answered with an internal error'), 1],
    [timeLimit(30007, 'FriendTimeout', 2000, 'sns-store'), 0.7],
  ],
  profile: [
    [callerError(40003, 'AccountNotFound', 'account was never imported', 'service'), 12],
    [callerError(40005, 'ProfileTextRefused', 'text holds a filtered word', 'service'), 8],
    [serviceError(40006, 'ProfileInternalError', 'profile-store answered with an internal error'), 0.8],
  ],
  recent: [
    [callerError(50002, 'ContactParameterInvalid', 'start index lies beyond the list'), 7],
    [serviceError(50004, 'ContactInternalError', 'contact-store answered with an internal error'), 1],
  ],
  push: [
    [callerError(90009, 'NotAdministrator', 'pushing to all members needs an administrator'), 14],
    [serviceError(90994, 'PushInternalError', 'push-fanout lost a worker'), 3],
  ],
};

/** Failures of the application's own server, which gateways call; weights are requests in 10,000. */
const OF_CALLBACKS: readonly (readonly [Ending, number])[] = [
  [timeLimit(null, 'CallbackTimeout', 2000, 'callback server'), 5],
  [ending('service_error', null, 'CallbackFailed', ['callback server answered 500'], 'service', 500), 2],
  [ending('service_error', null, 'CallbackConnectFailed', ['callback server refused'], 'gateway', 502), 1],
];

/** During `error-burst`: the families of the message service's own failures. */
export const BURST_ENDINGS: readonly Ending[] = [
  serviceError(
    91000,
    'ServiceInternalError',
    'msg-store shard 7 is read-only',
    'msg-store shard 7 has no leader',
  ),
  serviceError(90992, 'MessageInternalError', 'msg-store shard 7 is read-only'),
  serviceError(90994, 'MessageInternalError', 'write to msg-store was not confirmed by a majority'),
  timeLimit(90995, 'MessageTimeout', 3000, 'msg-store'),
];
/** During `bad-isp`: what a provider's users run into. */
export const NETWORK_TIMEOUT: Ending = ending(
  'service_error',
  null,
  'ClientNetworkTimeout',
  ['client network took no byte of the answer for 10000 ms', 'retransmission limit reached towards client'],
  { limitUs: 10_000_000 },
  504,
);
/** During `slow-interface`: requests that the time limit ends. */
export const UPSTREAM_TIMEOUT: Ending = upstreamTimeout;

export const ENDINGS: readonly Ending[] = endings;

/** Failures an interface of the family can meet, with their weights in 10,000 requests. */
export function failuresOf(family: InterfaceFamily): readonly (readonly [Ending, number])[] {
  return family === 'callback' ? OF_CALLBACKS : [...COMMON, ...OF_REST[family]];
}
