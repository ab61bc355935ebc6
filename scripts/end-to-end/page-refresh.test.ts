import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { AnswerTo } from '@imscope/schemas/query-api/questions.js';
import type { Browser, Page } from 'playwright-core';
import { until } from '../pipeline/until.js';
import { REPO_ROOT } from '../stack/repo-root.js';
import { openBrowser } from './browser.js';

const DIST = join(REPO_ROOT, 'services', 'dashboard', 'dist');
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.css': 'text/css' };
const APPLICATIONS = '/v1/applications';
const REQUESTS = '/v1/applications/1/requests';

let server: Server;
let url: string;
let browser: Browser;
let page: Page;
/** Questions received, in order. */
let asked: string[] = [];
/** Answers by path; without an entry the fake service answers at once. */
let behaviour = new Map<string, (response: ServerResponse, address: string) => void>();

const OUTCOMES = { success: 10, caller_error: 0, service_error: 0, unknown: 0 };
const LATENCY = { avg: 1, p50: 1, p90: 1, p95: 1, p99: 1, max: 1 };
const PERFORMANCE = {
  requests: 10,
  requests_per_s: 1,
  outcomes: OUTCOMES,
  success_rate: 1,
  latency_ms: LATENCY,
};

function answer<T>(data: T) {
  const now = Date.now();
  const window = {
    from: new Date(now - 3_600_000).toISOString(),
    to: new Date(now).toISOString(),
    step: 60,
    source: 'logs' as const,
    metrics: null,
    logged_share: 1,
  };
  const completeness = { status: 'complete' as const, ratio: 1, watermark: null, silent_collectors: [] };
  return { data, window, completeness };
}

function applications(ids: readonly number[]): AnswerTo<'applications'> {
  const { requests, requests_per_s, outcomes, success_rate, latency_ms } = PERFORMANCE;
  const { avg, max } = latency_ms;
  const tiers = { failing: 0, degraded: 0, healthy: ids.length, unjudged: 0 };
  const totals = { requests, requests_per_s, outcomes, success_rate, latency_ms: { avg, max }, tiers };
  return answer({
    totals: { applications: ids.length, ...totals, fell_silent: 0 },
    compared_with: null,
    found: ids.length,
    applications: ids.map((id) => ({
      sdk_app_id: id,
      name: '',
      package: '',
      owner: '',
      runbook_url: '',
      links: [],
      ...PERFORMANCE,
      success_rate_interval: null,
      health: { tier: 'healthy' as const, reason: 'within_target' as const, text: '', target: 0.999 },
      change: null,
      interfaces: 1,
      worst_interface: null,
      last_seen: new Date().toISOString(),
      sparkline: [],
    })),
    next_cursor: null,
  });
}

function requests(id: string, cursor: string | null): AnswerTo<'requests'> {
  const request = {
    time: new Date().toISOString(),
    interface: 'openim/sendmsg',
    exit_ip: '203.0.113.0',
    latency_ms: 1,
    upstream_ms: null,
    rtt_ms: null,
    code: 0,
    http_status: 200,
    outcome: 'success' as const,
    exception: '',
    cause: '',
    node: 'gw-1',
    region: 'r',
    platform: 'web',
    sdk_version: '1',
    request_id: id,
    weight: 1,
    place: id,
    links: [],
  };
  return answer({ requests: [request], next_cursor: cursor });
}

function usualAnswer(path: string): unknown {
  if (path === '/v1/session')
    return { name: 'test', applications: 'all', scope: 'requests', expires_at: '2099-01-01T00:00:00Z' };
  if (path.endsWith('/refusals')) return answer({ records: 0, reasons: [], applications: [], left_out: 0 });
  if (path === APPLICATIONS) return applications([1]);
  if (path === REQUESTS) return requests('first', 'older');
  if (path.endsWith('/overview')) {
    return answer({ ...PERFORMANCE, interfaces: 1, previous: PERFORMANCE, codes: [], codes_left_out: 0 });
  }
  return answer([]);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse, status: number, code: string): void {
  send(response, status, { error: { code, message: `answer ${status}` } });
}

before(async () => {
  server = createServer((request, response) => {
    const address = request.url ?? '/';
    const [path = '/'] = address.split('?');
    if (path.startsWith('/v1/')) {
      asked.push(path);
      const special = behaviour.get(path);
      if (special === undefined) send(response, 200, usualAnswer(path));
      else special(response, address);
      return;
    }
    const file =
      extname(path) !== '' && existsSync(join(DIST, path)) ? join(DIST, path) : join(DIST, 'index.html');
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/html' }).end(readFileSync(file));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const listening = server.address();
  assert.ok(listening !== null && typeof listening === 'object');
  url = `http://127.0.0.1:${listening.port}`;
  browser = await openBrowser();
});

beforeEach(async () => {
  behaviour = new Map();
  await page?.close();
  page = await browser.newPage();
  asked = [];
});

after(async () => {
  await browser.close();
  server.closeAllConnections();
  server.close();
});

const askedFor = (path: string): number => asked.filter((one) => one === path).length;

async function openFleet(): Promise<void> {
  await page.goto(url);
  await page.getByTestId('fleet-row-1').waitFor();
}

async function refreshNow(): Promise<void> {
  await page.getByRole('button', { name: 'Refresh now' }).click();
}

test('a live page asks again by itself, and its new answer is shown', async () => {
  await openFleet();
  behaviour.set(APPLICATIONS, (response) => {
    send(response, 200, applications([1, 2]));
  });
  await page.getByTestId('fleet-row-2').waitFor({ timeout: 15_000 });
});

test('data stays while a refresh fails, with the error code and a retry; the next answer removes it', async () => {
  await openFleet();
  behaviour.set(APPLICATIONS, (response) => {
    refuse(response, 503, 'store_unreachable');
  });
  await refreshNow();
  const failure = page.getByTestId('failure');
  await failure.waitFor();
  assert.equal(await failure.getAttribute('data-value'), 'store_unreachable');
  assert.match((await failure.textContent()) ?? '', /Shown below: data of \d\d:/);
  assert.equal(await page.getByTestId('fleet-row-1').count(), 1);
  behaviour.delete(APPLICATIONS);
  await failure.getByRole('button', { name: 'Try again' }).click();
  await failure.waitFor({ state: 'detached' });
});

test('a failed question is asked again by itself', async () => {
  await openFleet();
  let failures = 0;
  behaviour.set(APPLICATIONS, (response) => {
    failures += 1;
    if (failures === 1) refuse(response, 503, 'store_unreachable');
    else send(response, 200, applications([1, 3]));
  });
  await refreshNow();
  await page.getByTestId('fleet-row-3').waitFor({ timeout: 20_000 });
  assert.equal(await page.getByTestId('failure').count(), 0);
});

test('a refused question is not asked again by itself', async () => {
  behaviour.set(APPLICATIONS, (response) => {
    refuse(response, 400, 'invalid_window');
  });
  await page.goto(url);
  await page.getByTestId('failure').waitFor();
  // The other question of the page is refreshed twice meanwhile.
  await until('the page is refreshed twice', () => Promise.resolve(askedFor('/v1/refusals') >= 3), 30_000);
  assert.equal(askedFor(APPLICATIONS), 1);
});

test('another window keeps the data of the last one, marked as stale, until its answer', async () => {
  await openFleet();
  const held: ServerResponse[] = [];
  behaviour.set(APPLICATIONS, (response) => {
    held.push(response);
  });
  await page.getByTestId('window').getByRole('button', { name: '15 m' }).click();
  await page.locator('.stale').getByTestId('fleet-row-1').waitFor();
  await until('the question arrives', () => Promise.resolve(held.length > 0), 10_000);
  behaviour.delete(APPLICATIONS);
  for (const response of held) send(response, 200, applications([4]));
  await page.getByTestId('fleet-row-4').waitFor();
  assert.equal(await page.locator('.stale').count(), 0);
});

test('an answer that comes after a newer question is not shown', async () => {
  await openFleet();
  const held: ServerResponse[] = [];
  behaviour.set(APPLICATIONS, (response) => {
    held.push(response);
  });
  await page.getByTestId('window').getByRole('button', { name: '15 m' }).click();
  await until('the question arrives', () => Promise.resolve(held.length > 0), 10_000);
  behaviour.set(APPLICATIONS, (response) => {
    send(response, 200, applications([6]));
  });
  await page.getByTestId('window').getByRole('button', { name: '6 h' }).click();
  await page.getByTestId('fleet-row-6').waitFor();
  for (const response of held) send(response, 200, applications([5]));
  await refreshNow();
  await page.getByTestId('fleet-row-6').waitFor();
  assert.equal(await page.getByTestId('fleet-row-5').count(), 0);
});

test('the fleet is searched, sorted and continued by the service', async () => {
  const found = (address: string): ReturnType<typeof applications> => {
    const query = new URL(address, url).searchParams;
    const limit = Number(query.get('limit'));
    const base = query.get('sort') === 'delay_p95' ? 3_000 : query.has('search') ? 2_000 : 1_000;
    const answered = applications(Array.from({ length: Math.min(limit, 100) }, (_, index) => base + index));
    return { ...answered, data: { ...answered.data, found: 5_000 } };
  };
  behaviour.set(APPLICATIONS, (response, address) => {
    send(response, 200, found(address));
  });
  await page.goto(url);
  await page.getByTestId('fleet-row-1059').waitFor();
  assert.equal(await page.getByTestId('fleet-row-1060').count(), 0);
  assert.match(await page.getByTestId('fleet-more').innerText(), /4,940/);
  await page.getByTestId('fleet-more').click();
  await page.getByTestId('fleet-row-1099').waitFor();
  await page.getByTestId('fleet-search').fill('pay');
  await page.getByTestId('fleet-row-2000').waitFor();
  await page.getByRole('button', { name: 'p95' }).click();
  await page.getByTestId('fleet-row-3000').waitFor();
  assert.match(page.url(), /sort=-p95/);
});

test('a question has one request at a time, also where the reader refreshes while it runs', async () => {
  await openFleet();
  let open = 0;
  let openMax = 0;
  behaviour.set(APPLICATIONS, (response) => {
    open += 1;
    openMax = Math.max(openMax, open);
    response.on('close', () => {
      open -= 1;
    });
  });
  await refreshNow();
  await until('a request is open', () => Promise.resolve(open === 1), 10_000);
  behaviour.delete(APPLICATIONS);
  await refreshNow();
  await until('the first request is cancelled', () => Promise.resolve(open === 0), 10_000);
  assert.equal(openMax, 1);
});

test('a paused page asks nothing, and asks at once when it goes live', async () => {
  await openFleet();
  await page.getByTestId('live-toggle').click();
  const before = askedFor(APPLICATIONS);
  // Longer than one interval.
  await page.waitForTimeout(6000);
  assert.equal(askedFor(APPLICATIONS), before);
  await page.getByTestId('live-toggle').click();
  await until('the page asks', () => Promise.resolve(askedFor(APPLICATIONS) > before), 3000);
});

/** Sets the page's visibility as the browser does when its tab goes to the background or returns. */
async function setVisibility(state: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => '${state}' });
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${state === 'hidden'} });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  `);
}

test('a hidden page asks nothing, and asks at once when it is visible again and a refresh is due', async () => {
  await openFleet();
  await setVisibility('hidden');
  const before = askedFor(APPLICATIONS);
  // Longer than one interval.
  await page.waitForTimeout(6000);
  assert.equal(askedFor(APPLICATIONS), before);
  await setVisibility('visible');
  await until('the page asks', () => Promise.resolve(askedFor(APPLICATIONS) > before), 3000);
});

test('the end of the session leads to the sign-in page', async () => {
  await openFleet();
  for (const path of [APPLICATIONS, '/v1/refusals']) {
    behaviour.set(path, (response) => {
      refuse(response, 401, 'unauthorized');
    });
  }
  await refreshNow();
  await page.getByTestId('sign-in-token').waitFor();
  const before = asked.length;
  await page.waitForTimeout(6000);
  assert.equal(asked.length, before);
});

test('older requests follow by cursor, the list is held while they are read, and is released to the newest', async () => {
  behaviour.set(REQUESTS, (response, address) => {
    const isOlder = address.includes('cursor=older');
    send(response, 200, isOlder ? requests('second', null) : requests('first', 'older'));
  });
  await page.goto(`${url}/applications/1`);
  await page.getByTestId('requests-older').click();
  await page.locator('[data-testid="request-row"][data-value="second"]').waitFor();
  assert.equal(await page.getByTestId('requests-shown').getAttribute('data-value'), '2');
  const before = askedFor(REQUESTS);
  const overviews = askedFor('/v1/applications/1/overview');
  const refreshed = () => Promise.resolve(askedFor('/v1/applications/1/overview') > overviews);
  await until('the rest of the page is refreshed', refreshed, 20_000);
  assert.equal(askedFor(REQUESTS), before);
  await page.getByRole('button', { name: 'back to the newest' }).click();
  await page.locator('[data-testid="request-row"][data-value="second"]').waitFor({ state: 'detached' });
  await until('the newest are asked for', () => Promise.resolve(askedFor(REQUESTS) > before), 10_000);
});

test('an answer of another form than the contract’s is a failure, not a broken page', async () => {
  behaviour.set(APPLICATIONS, (response) => {
    send(response, 200, answer([{ sdk_app_id: 'one' }]));
  });
  await page.goto(url);
  const failure = page.getByTestId('failure');
  await failure.waitFor();
  assert.equal(await failure.getAttribute('data-value'), 'unreadable_answer');
});
