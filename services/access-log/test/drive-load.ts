/*
 * Real clients that call a gateway with IM request lines over kept-alive connections, many at once, and remember
 * what each of them saw. Seeded: the same seed sends the same requests.
 */
import { Pool } from 'undici';

export type LoadOptions = {
  /** Origin of the gateway. */
  readonly url: string;
  readonly requests: number;
  readonly connections: number;
  readonly seed: number;
  readonly applications?: readonly number[];
};

/** One request as its client saw it. */
export type SeenRequest = {
  readonly sdkAppId: number;
  readonly interface: string;
  readonly status: number;
  /** What `X-IM-Code` said; null where the answer had none. */
  readonly code: number | null;
  readonly random: number;
  /** From before the first byte was sent to after the last one came, milliseconds. */
  readonly clientMs: number;
};

export const APPLICATIONS = [1_400_000_001, 1_400_000_002, 1_400_000_003, 1_400_000_004];
export const INTERFACES = [
  'openim/sendmsg',
  'openim/batchsendmsg',
  'openim/admin_getroammsg',
  'im_open_login_svc/account_import',
  'group_open_http_svc/send_group_msg',
  'sns/friend_add',
  'profile/portrait_set',
  'recentcontact/get_list',
];
/** What must never be found in anything that leaves the machine. */
export const CREDENTIALS = { identifier: 'administrator', usersig: 'eJyrVgrxCdYrSy1SslIy0jNQ0gHzM' };

const BODY = JSON.stringify({ SyncOtherMachine: 1, MsgRandom: 1, MsgBody: [] });

/** Sends all requests and resolves with what was seen, in the order of answers. */
export async function driveLoad(options: LoadOptions): Promise<SeenRequest[]> {
  const pool = new Pool(options.url, { connections: options.connections, pipelining: 1 });
  const applications = options.applications ?? APPLICATIONS;
  const next = seeded(options.seed);
  const seen: SeenRequest[] = [];
  let left = options.requests;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      // The square makes the first applications and interfaces much busier than the last.
      const sdkAppId = pick(applications, next() ** 2);
      const name = pick(INTERFACES, next() ** 2);
      const random = Math.floor(next() * 4_294_967_296);
      const startMs = performance.now();
      const { statusCode, headers, body } = await pool.request({
        method: 'POST',
        path: `/v4/${name}?sdkappid=${sdkAppId}&identifier=${CREDENTIALS.identifier}&usersig=${CREDENTIALS.usersig}&random=${random}&contenttype=json`,
        headers: { 'content-type': 'application/json' },
        body: BODY,
      });
      await body.dump();
      const code = headers['x-im-code'];
      seen.push({
        sdkAppId,
        interface: name,
        status: statusCode,
        code: typeof code === 'string' ? Number(code) : null,
        random,
        clientMs: performance.now() - startMs,
      });
    }
  };
  await Promise.all(Array.from({ length: options.connections }, client));
  await pool.close();
  return seen;
}

function pick<T>(choices: readonly T[], share: number): T {
  const choice = choices[Math.floor(share * choices.length)];
  if (choice === undefined) throw new Error('nothing to choose from');
  return choice;
}

/** Mulberry32: 0 up to, not including, 1. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
