/*
 * What is set for single interfaces: how often an application may call one, and whether it waits on purpose.
 */
import type { LookUpApplication } from '@imscope/access/application-settings.js';
import { publishedLimit } from '@imscope/schemas/published-limits.js';

export type InterfaceSettings = {
  /** Calls a second; null: there is no limit. */
  readonly limitPerS: number | null;
  /** Whether the limit is the application's own, not the published one. */
  readonly isOwnLimit: boolean;
  readonly waits: boolean;
};

export type LookUpInterface = (sdkAppId: number, name: string) => InterfaceSettings;

/** @param waiting interfaces that wait on purpose, of every application */
export function createLookUpInterface(
  lookUp: LookUpApplication,
  waiting: readonly string[],
): LookUpInterface {
  const waits = new Set(waiting);
  return (sdkAppId, name) => {
    const own = lookUp(sdkAppId).interfaces.get(name);
    return {
      limitPerS: own?.limitPerSecond ?? publishedLimit(name),
      isOwnLimit: typeof own?.limitPerSecond === 'number',
      waits: own?.waits === true || waits.has(name),
    };
  };
}
