/*
 * The objective of an application as thresholds of its health: the target for all its interfaces together, out of the
 * local copy of the registry. Look-ups are reads of memory.
 */
import type { LookUpApplication } from '@imscope/access/application-settings.js';
import { DEFAULT_THRESHOLDS, type Thresholds, thresholdsFor } from '@imscope/schemas/health.js';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

export type ThresholdsOf = (sdkAppId: number) => Thresholds;

/** The members that matter here, of what the registry's API describes. */
const Target = Type.Object({
  interface: Type.Null(),
  success_rate_min: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }),
});

export function createThresholdsOf(settingsOf: LookUpApplication): ThresholdsOf {
  return (sdkAppId) => {
    for (const target of settingsOf(sdkAppId).sloTargets) {
      if (Value.Check(Target, target)) return thresholdsFor(target.success_rate_min);
    }
    return DEFAULT_THRESHOLDS;
  };
}
