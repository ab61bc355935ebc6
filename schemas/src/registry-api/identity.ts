/* The identity of an application, fixed when it is created, and its status. */
import { type Static, Type } from 'typebox';
import { APPLICATION_STATUSES, REGION_PATTERN } from '../application-state.js';
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

export const StatusValue = Type.Enum([...APPLICATION_STATUSES]);

export const Region = Type.String({
  pattern: REGION_PATTERN,
  description: 'a region in lower-case letters, digits and dashes, such as singapore',
});
