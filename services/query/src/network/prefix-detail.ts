/*
 * More about one prefix: its trend, interfaces and codes, out of published blocks alone.
 */
import type { PrefixDetail } from '@imscope/schemas/query-api/network.js';
import { codeCountOf } from '../figures/code-counts.js';
import { timeText } from '../figures/time-window.js';
import { askCodes, askInterfaces, askSteps, type PrefixAsk } from './ask-prefixes.js';
import { networkFiguresOf } from './network-sums.js';

/** @param requests of the prefix's row, which the shares of codes are of */
export async function askPrefixDetail(
  asked: PrefixAsk,
  key: number,
  requests: number,
): Promise<PrefixDetail> {
  const [steps, interfaces, codes] = await Promise.all([
    asked.interfaces.length > 0 ? [] : askSteps(asked, key),
    askInterfaces(asked, key),
    askCodes(asked, key),
  ]);
  return {
    steps: steps.map(({ startMs, sums }) => ({ time: timeText(startMs), ...networkFiguresOf(sums) })),
    interfaces: interfaces.map(({ interface: name, ...sums }) => ({
      interface: name,
      ...networkFiguresOf(sums),
    })),
    codes: codes.map((code) => codeCountOf(code, requests)),
  };
}
