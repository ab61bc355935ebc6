/* The body of a creation, for tests. */
import type { NewApplication } from '@imscope/schemas/registry-api/operations.js';

export function newApplication(sdkAppId: number, more: Partial<NewApplication> = {}): NewApplication {
  return {
    sdk_app_id: sdkAppId,
    app_id: 1_250_000_001,
    uin: 100_000_000_001,
    ...more,
    details: { name: `Application ${sdkAppId}`, data_centre: 'singapore', ...more.details },
  };
}
