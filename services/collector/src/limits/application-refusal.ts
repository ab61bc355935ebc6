/* Why the records of an application are refused, whatever they are: its status, its region, or that it is not known. */
import type { ApplicationSettings } from '@imscope/access/application-settings.js';
import type { RecordRejectReason } from '@imscope/schemas/reject-reasons.js';

/** `detail` is for people: what was received, what is allowed, what to do. */
export type ApplicationRefusal = { readonly reason: RecordRejectReason; readonly detail: string };

/** Undefined where the application's records are accepted. */
export type RefusalOf = (sdkAppId: number, settings: ApplicationSettings) => ApplicationRefusal | undefined;

export type RefusalSettings = {
  /** Of this collector; empty: applications of every region are accepted. */
  readonly region: string;
  readonly applicationsKnownOnly: boolean;
};

export function createRefusalOf({ region: ours, applicationsKnownOnly }: RefusalSettings): RefusalOf {
  return (sdkAppId, { known, status, region }) => {
    if (!known) return applicationsKnownOnly ? unknown(sdkAppId) : undefined;
    if (status !== 'active') return inactive(sdkAppId, status);
    if (ours === '' || region === '' || region === ours) return undefined;
    return {
      reason: 'application_of_other_region',
      detail: `application ${sdkAppId} is of region "${region}", and this collector of "${ours}": send it to a collector of "${region}"`,
    };
  };
}

function unknown(sdkAppId: number): ApplicationRefusal {
  return {
    reason: 'application_unknown',
    detail: `application ${sdkAppId} is not in the registry: check the SDKAppID, or create the application first`,
  };
}

function inactive(sdkAppId: number, status: 'suspended' | 'terminated'): ApplicationRefusal {
  return {
    reason: status === 'suspended' ? 'application_suspended' : 'application_terminated',
    detail: `application ${sdkAppId} is ${status} in the registry: its records are not accepted until an administrator activates it again`,
  };
}
