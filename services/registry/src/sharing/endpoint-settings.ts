/* Settings of the systems that the outbox sends to. Without its URL nothing is sent to a system. */
import { secret, type Settings, text } from '@imscope/runtime/config.js';
import type { Endpoints } from './deliver-outbox.js';
import type { SignedEndpoint } from './signed-request.js';

const URL_TEXT = {
  default: '',
  pattern: /^https?:\/\/[^@\s#]+$/,
  allowed: 'an http(s) URL without credentials',
} as const;
const KEY_ID_TEXT = { default: '', pattern: /^[\w.-]{1,64}$/ } as const;

export const ENDPOINT_SETTINGS = {
  trtcUrl: text({
    ...URL_TEXT,
    purpose:
      'where TRTC takes application details of applications that share them; not set: nothing is shared',
  }),
  trtcKeyId: text({ ...KEY_ID_TEXT, purpose: 'name of TRTC_KEY at TRTC' }),
  trtcKey: secret({ default: '', purpose: 'key that requests to TRTC are signed with' }),
  noticeUrl: text({
    ...URL_TEXT,
    purpose: 'where notices of terminations and purges are sent; not set: they are in the API alone',
  }),
  noticeKeyId: text({ ...KEY_ID_TEXT, purpose: 'name of NOTICE_KEY at the receiver of notices' }),
  noticeKey: secret({ default: '', purpose: 'key that notices are signed with' }),
} satisfies Settings;

export type EndpointSettings = { readonly [K in keyof typeof ENDPOINT_SETTINGS]: string };

/** A shorter key could be found by trying. */
const KEY_LENGTH_MIN = 16;

/** One sentence for each fault of the combination. */
export function endpointFaults(config: Partial<EndpointSettings>): string[] {
  const {
    trtcUrl = '',
    trtcKeyId = '',
    trtcKey = '',
    noticeUrl = '',
    noticeKeyId = '',
    noticeKey = '',
  } = config;
  return [
    ...keyFaults('TRTC', trtcUrl, trtcKeyId, trtcKey),
    ...keyFaults('NOTICE', noticeUrl, noticeKeyId, noticeKey),
  ];
}

function keyFaults(name: string, url: string, keyId: string, key: string): string[] {
  if (url === '') return [];
  const faults: string[] = [];
  if (keyId === '') faults.push(`${name}_KEY_ID is not set: ${name}_URL needs it; name the key`);
  if (key.length < KEY_LENGTH_MIN) {
    faults.push(
      `${name}_KEY has fewer than ${KEY_LENGTH_MIN} characters: ${name}_URL needs it; give a longer one`,
    );
  }
  return faults;
}

export function endpointsOf(config: EndpointSettings): Endpoints {
  return {
    trtc: endpoint(config.trtcUrl, config.trtcKeyId, config.trtcKey),
    notice: endpoint(config.noticeUrl, config.noticeKeyId, config.noticeKey),
  };
}

function endpoint(url: string, keyId: string, key: string): SignedEndpoint | undefined {
  return url === '' ? undefined : { url, keyId, key };
}
