/* Calls an operation without HTTP, with parts of it replaced: for tests of what happens in the middle of a change. */
import { createLogger } from '@imscope/runtime/logger.js';
import { changeApplication } from '../src/applications/change-state.js';
import type { ApplicationDependencies } from '../src/applications/dependencies.js';
import type { RegistryState } from '../src/open-state.js';

export function dependenciesOf(
  { database, documents, secrets }: RegistryState,
  replaced: Partial<ApplicationDependencies> = {},
): ApplicationDependencies {
  return {
    database,
    documents,
    secrets,
    putCertificate: secrets.putCertificate,
    checkCallbackUrl: async () => undefined,
    testCallback: async () => ({ address: '', status: 200, durationMs: 0 }),
    onChange: async () => undefined,
    applicationsMax: 1_000,
    region: '',
    hasTokenFile: true,
    logger: createLogger('registry', 'silent'),
    ...replaced,
  };
}

/** Sets the quota of application 1 at revision 1, and an outcome of a code. */
export function changeQuota(dependencies: ApplicationDependencies, quota: number, reason: string) {
  return changeApplication(dependencies)({
    params: { sdk_app_id: 1 },
    query: {},
    body: { settings: { quota_per_second: quota, codes: { 5: 'success' } }, reason },
    ifMatch: 1,
    caller: {
      name: 'direct',
      scope: 'admin',
      applications: 'all',
      tokenHash: '',
      recordsPerSecondMax: Number.POSITIVE_INFINITY,
      expiresMs: Number.POSITIVE_INFINITY,
    },
    nowMs: Date.now(),
    signal: new AbortController().signal,
  });
}
