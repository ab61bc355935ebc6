/*
 * What the start command says of a simulated incident: what to look for, and a link to the dashboard's page of the
 * application it hits, with the time of the incident as its window.
 */
import { simulatedApplications } from '../simulate-gateway/applications.js';
import { describeIncident, type Incident } from '../simulate-gateway/incidents.js';

/** How many applications the demonstration simulates. */
export const APPLICATIONS = 24;

/** Of the incident's length, before it and after it: a change shows only beside what was before. */
const MARGIN_SHARE = 0.5;

/** `55 % of openim/sendmsg of Lanternchat (social) fail inside the service; application 1400000001` */
export function incidentAnswer(incident: Incident): string {
  const { name, sdkAppId } = applicationOf(incident);
  return `${describeIncident(incident.name, name)}; application ${sdkAppId}`;
}

/**
 * The page of the application, from before the incident until after it; or until now, which moves on, while it runs.
 * It holds no token: the reader signs in first.
 */
export function incidentLink(queryUrl: string, incident: Incident, nowMs: number): string {
  const { fromMs, toMs } = incident;
  const marginMs = (toMs - fromMs) * MARGIN_SHARE;
  const from = new Date(fromMs - marginMs).toISOString();
  const to = toMs + marginMs >= nowMs ? 'now' : new Date(toMs + marginMs).toISOString();
  return `${queryUrl}/applications/${applicationOf(incident).sdkAppId}?from=${from}&to=${to}`;
}

function applicationOf({ applicationIndex }: Incident): { readonly name: string; readonly sdkAppId: number } {
  const applications = simulatedApplications(APPLICATIONS);
  const application = applications[applicationIndex % applications.length];
  if (application === undefined) throw new Error(`no application is simulated for index ${applicationIndex}`);
  return application;
}
