/*
 * Decides what a change means for the sharing with TRTC. Details are shared only while the application is active, has
 * switched the sharing on and subscribes to TRTC. Suspension ends it: a suspended application makes no calls, so nothing
 * needs its details.
 */
import type { ApplicationConfiguration } from '@imscope/schemas/registry-api/configuration.js';
import { type ApplicationDetails, TRTC_SUBSCRIPTION } from '@imscope/schemas/registry-api/details.js';
import type { ApplicationStatus } from '@imscope/schemas/application-state.js';

/** What of an application the sharing depends on. */
export type SharingInput = {
  readonly sdkAppId: number;
  readonly appId: number;
  readonly status: ApplicationStatus;
  readonly details: ApplicationDetails;
  readonly shareWithTrtc: ApplicationConfiguration['share_with_trtc'];
  readonly createdMs: number;
};

/**
 * What TRTC is told: the application details that the contract names, without the key. Administrators, owner and package
 * are not among them.
 */
export type SharedDetails = {
  readonly sdk_app_id: number;
  readonly app_id: number;
  readonly name: string;
  readonly introduction: string;
  readonly description: string;
  readonly type: string;
  readonly status: ApplicationStatus;
  readonly created_at: string;
};

export type SharingDecision =
  | { readonly kind: 'nothing' }
  /** `isFirst`: nothing was shared before. Otherwise the shared details changed. */
  | { readonly kind: 'share'; readonly isFirst: boolean; readonly details: SharedDetails }
  | { readonly kind: 'end' };

/** @param before null where the application is created @param after null where it is deleted */
export function decideSharing(before: SharingInput | null, after: SharingInput | null): SharingDecision {
  const was = before === null ? undefined : sharedDetails(before);
  const will = after === null ? undefined : sharedDetails(after);
  if (will === undefined) return { kind: was === undefined ? 'nothing' : 'end' };
  if (was !== undefined && JSON.stringify(was) === JSON.stringify(will)) return { kind: 'nothing' };
  return { kind: 'share', isFirst: was === undefined, details: will };
}

/** undefined where nothing may be shared. */
function sharedDetails(application: SharingInput): SharedDetails | undefined {
  const { sdkAppId, appId, status, details, shareWithTrtc, createdMs } = application;
  if (!shareWithTrtc || status !== 'active' || !details.subscriptions.includes(TRTC_SUBSCRIPTION)) {
    return undefined;
  }
  const { name, introduction, description, type } = details;
  return {
    sdk_app_id: sdkAppId,
    app_id: appId,
    name,
    introduction,
    description,
    type,
    status,
    created_at: new Date(createdMs).toISOString(),
  };
}
