import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePageState, readApplicationId } from '../../../services/dashboard/src/state/page-state.js';
import { simulatedApplications } from '../../simulate-gateway/applications.js';
import { incident } from '../../simulate-gateway/incidents.js';
import { pastIncident } from '../../simulate-gateway/past-incident.js';
import { APPLICATIONS, incidentAnswer, incidentLink } from '../incident-text.js';

const ORIGIN = 'http://127.0.0.1:8080';
const HOUR_MS = 3_600_000;
const NOW_MS = Date.UTC(2026, 10, 29, 12);

const applications = simulatedApplications(APPLICATIONS);

function opened(link: string) {
  const { pathname, search, hash, origin } = new URL(link);
  const [, page, id = ''] = pathname.split('/');
  const { window } = parsePageState(search);
  return { origin, page, application: readApplicationId(id), window, hash };
}

test('the link of a past incident opens its application with the incident in the middle of the window', () => {
  const past = pastIncident(applications, 3, NOW_MS - 144 * HOUR_MS, NOW_MS);
  const { window, ...page } = opened(incidentLink(ORIGIN, past, NOW_MS));
  assert.deepEqual(page, {
    origin: ORIGIN,
    page: 'applications',
    application: applications[3]?.sdkAppId,
    hash: '',
  });
  const lastsMs = past.toMs - past.fromMs;
  assert.deepEqual(window, {
    from: new Date(past.fromMs - lastsMs / 2).toISOString(),
    to: new Date(past.toMs + lastsMs / 2).toISOString(),
  });
});

test('the link of an incident that runs opens a window that moves on with the time', () => {
  const running = incident('error-burst', NOW_MS, NOW_MS + 120_000);
  const { application, window } = opened(incidentLink(ORIGIN, running, NOW_MS));
  assert.equal(application, applications[1]?.sdkAppId);
  assert.deepEqual(window, { from: new Date(NOW_MS - 60_000).toISOString(), to: 'now' });
});

test('the answer names the interface, the application and its id', () => {
  const text = incidentAnswer(incident('error-burst', NOW_MS, NOW_MS + 120_000));
  const { name, sdkAppId } = applications[1] ?? assert.fail('there is a second application');
  assert.equal(text, `55 % of openim/sendmsg of ${name} fail inside the service; application ${sdkAppId}`);
});
