/* Settings of the checks of callback URLs. No setting switches a check off. */
import { list, type Settings } from '@imscope/runtime/config.js';
import { isAddressRange } from './public-address.js';

export const CALLBACK_SETTINGS = {
  callbackDeniedRanges: list({
    default: [],
    isWord: isAddressRange,
    allowed: 'address ranges in CIDR form with commas between',
    purpose: 'public ranges of the deployment’s own network, which callbacks must not reach either',
  }),
} satisfies Settings;
