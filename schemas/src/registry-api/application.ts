/*
 * An application as the registry answers it, and its versions. The state is what a change changes: each change makes a
 * new version of all of it, and a rollback makes an earlier state the newest version.
 */
import { type Static, Type } from 'typebox';
import { ApplicationConfiguration } from './configuration.js';
import { ApplicationDetails } from './details.js';
import { ApplicationIdentity, SdkAppId, StatusValue } from './identity.js';
import { ApplicationSettings } from './settings.js';

const Time = Type.String({ description: 'RFC 3339, UTC' });
const TimeOrNull = Type.Union([Time, Type.Null()]);

export const ApplicationState = Type.Object(
  {
    details: ApplicationDetails,
    settings: ApplicationSettings,
    configuration: ApplicationConfiguration,
  },
  { additionalProperties: false },
);
export type ApplicationState = Static<typeof ApplicationState>;

/** A secret as it is shown: never its value. */
export const SecretSummary = Type.Object({
  name: Type.String(),
  key_id: Type.String({ description: 'the master key that its data key is encrypted with' }),
  set_at: Time,
});
export type SecretSummary = Static<typeof SecretSummary>;

export const Application = Type.Object({
  ...ApplicationIdentity.properties,
  status: StatusValue,
  revision: Type.Integer({ description: 'grows with every change; the ETag' }),
  version: Type.Integer({ description: 'the version of the state in force' }),
  ...ApplicationState.properties,
  secrets: Type.Array(SecretSummary),
  created_at: Time,
  updated_at: Time,
  terminated_at: TimeOrNull,
  purge_at: Type.Union([Time, Type.Null()], {
    description: 'when what is left of a terminated application is deleted',
  }),
});
export type Application = Static<typeof Application>;

export const ApplicationSummary = Type.Object({
  sdk_app_id: SdkAppId,
  name: Type.String(),
  owner: Type.String(),
  package: Type.String(),
  data_centre: Type.String(),
  status: StatusValue,
  version: Type.Integer(),
  updated_at: Time,
  purge_at: TimeOrNull,
});
export type ApplicationSummary = Static<typeof ApplicationSummary>;

export const VersionSummary = Type.Object({
  version: Type.Integer(),
  author: Type.String(),
  reason: Type.String(),
  created_at: Time,
});
export type VersionSummary = Static<typeof VersionSummary>;

export const ApplicationVersion = Type.Object({
  ...VersionSummary.properties,
  sdk_app_id: SdkAppId,
  state: ApplicationState,
});
export type ApplicationVersion = Static<typeof ApplicationVersion>;

/** One difference of two versions; `path` is a JSON pointer (RFC 6901). */
export const Difference = Type.Object({
  path: Type.String(),
  before: Type.Optional(Type.Unknown({ description: 'absent: there was nothing' })),
  after: Type.Optional(Type.Unknown({ description: 'absent: there is nothing' })),
});
export type Difference = Static<typeof Difference>;
