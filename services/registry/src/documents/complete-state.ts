/* The state of a version, with what the contract has got since the version was written. */
import type { ApplicationState } from '@imscope/schemas/registry-api/application.js';
import { DETAILS_DEFAULTS } from '@imscope/schemas/registry-api/details.js';
import { SETTINGS_DEFAULTS } from '@imscope/schemas/registry-api/settings.js';

/** @param state as it was written */
export function completeState(state: ApplicationState): ApplicationState {
  return {
    ...state,
    details: { ...DETAILS_DEFAULTS, ...state.details },
    settings: { ...SETTINGS_DEFAULTS, ...state.settings },
  };
}
