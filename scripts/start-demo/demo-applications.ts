/*
 * The simulated applications as an operator would import them: one line of NDJSON each. Owners and packages are made up,
 * the larger applications have the larger packages.
 */
import { createCall } from '@imscope/schemas/registry-api/call.js';
import type { NewApplication } from '@imscope/schemas/registry-api/operations.js';
import type { ApplicationType } from '../simulate-gateway/application-types.js';
import { type Application, simulatedApplications } from '../simulate-gateway/applications.js';
import { APPLICATIONS } from './incident-text.js';

const REGION = 'singapore';
const FIRST_APP_ID = 1_250_000_001;
const FIRST_UIN = 100_000_000_001;
const TIMEOUT_MS = 30_000;

const TYPES: Readonly<Record<ApplicationType, NonNullable<NewApplication['details']['type']>>> = {
  game: 'gaming',
  'live-stream': 'live_streaming',
  'e-commerce': 'e_commerce',
  'customer-service': 'customer_service',
  social: 'social',
  education: 'education',
  health: 'healthcare',
  logistics: 'other',
  office: 'enterprise',
};
const PACKAGES = [
  { fromRank: 12, name: 'standard' },
  { fromRank: 4, name: 'pro' },
  { fromRank: 0, name: 'enterprise' },
] as const;

/** @param rank 0 is the largest */
function newApplication(application: Application, rank: number): NewApplication {
  // `Skyraid (game)`: the kind is in the type.
  const name = application.name.replace(/ \([a-z-]+\)$/, '');
  const plan = PACKAGES.find(({ fromRank }) => rank >= fromRank)?.name ?? 'trial';
  return {
    sdk_app_id: application.sdkAppId,
    app_id: FIRST_APP_ID + rank,
    uin: FIRST_UIN + rank,
    reason: 'the demonstration begins',
    details: {
      name,
      introduction: application.description,
      owner: `${name} team`,
      package: plan,
      data_centre: REGION,
      type: TYPES[application.type],
    },
  };
}

/**
 * Creates those that are missing; an application that is there already stays as it is.
 * @returns how many were created
 */
export async function createDemoApplications(registryUrl: string, adminToken: string): Promise<number> {
  const call = createCall((path, { method, headers, body }) =>
    fetch(`${registryUrl}${path}`, {
      method,
      headers: { ...headers, authorization: `Bearer ${adminToken}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body }),
    }),
  );
  const { total } = await call('listApplications', { query: { limit: 1 } });
  if (total > 0) return 0;
  const rows = simulatedApplications(APPLICATIONS).map(newApplication);
  const answer = await call('importApplications', {
    body: rows.map((row) => JSON.stringify(row)).join('\n'),
    contentType: 'application/x-ndjson',
  });
  const [failed] = answer.failed;
  if (failed !== undefined)
    throw new Error(`line ${failed.line} of the demonstration's applications: ${failed.message}`);
  return answer.created;
}
