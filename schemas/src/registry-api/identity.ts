/* The identity of an application, fixed when it is created, and its status. */
import { type Static, Type } from 'typebox';
import { REQUEST_LOG_BOUNDS } from '../request-log.js';

export const SdkAppId = Type.Integer({
  minimum: 1,
  maximum: REQUEST_LOG_BOUNDS.sdkAppIdMax,
  description: 'SDKAppID',
});

export const ApplicationIdentity = Type.Object(
  {
    sdk_app_id: SdkAppId,
    app_id: Type.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'APPID, the number of the cloud account',
    }),
    uin: Type.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'UIN, the number of the account’s user that owns the application',
    }),
  },
  { additionalProperties: false },
);
export type ApplicationIdentity = Static<typeof ApplicationIdentity>;

/**
 * `suspended`: its records are refused, its data can be read. `terminated`: neither; it can be restored until its purge.
 */
export const APPLICATION_STATUSES = ['active', 'suspended', 'terminated'] as const;
export type ApplicationStatus = (typeof APPLICATION_STATUSES)[number];
export const StatusValue = Type.Enum([...APPLICATION_STATUSES]);

/** A data centre, such as `singapore`: where the application's data is kept. */
export const REGION_PATTERN = '^[a-z][a-z0-9-]{0,31}$';
export const Region = Type.String({
  pattern: REGION_PATTERN,
  description: 'a region in lower-case letters, digits and dashes, such as singapore',
});
