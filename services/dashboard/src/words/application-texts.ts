/*
 * Texts of an application's page, but for its list of single requests.
 */
import { formatExact, formatQuantity, formatShare } from './format-number.js';

const NO_REQUESTS = 'No requests in this window.';

export const applicationTexts = {
  sdkAppId: 'SDKAppID',
  /** Of the page's title in the browser. */
  pageTitle: (id: number, name: string) => (name === '' ? id.toString() : `${name} (${id.toString()})`),
  whose: ({ name, package: plan, owner }: { name: string; package: string; owner: string }) =>
    [name, plan === '' ? '' : `package ${plan}`, owner === '' ? '' : `owner ${owner}`]
      .filter((part) => part !== '')
      .join(' · '),
  headlineFigures: 'Headline figures',
  dragToZoom: 'Drag over a chart to zoom in ·',
  zoomOut: 'zoom out',
  delayOf: (percentile: string) => `Delay ${percentile}`,
  unknown: {
    title: 'Requests without a code: success cannot be distinguished from failure',
    unit: 'unknown',
    share: (share: number) => ` (${formatShare(share)})`,
  },
  /** Where successes were sampled: which figures are exact all the same. */
  source: {
    sampled: (share: number, figures: string) =>
      `Sampled: ${formatShare(share)} of the requests are logged one by one. ${figures}`,
    exact: 'Headline figures count every request.',
    estimated: 'Headline figures are estimates from the logs.',
    partlyExact: (from: string, to: string) =>
      `Headline figures count every request from ${from} to ${to}; the rest is estimated from the logs.`,
  },
  scope: {
    add: '+ Filter',
    form: 'Narrow the page',
    what: 'What to narrow by',
    value: 'value',
    submit: 'Add',
    cancel: 'Cancel',
    nothing: 'No requests in this window match the filters above.',
    clear: 'Clear the filters',
  },
  interfaces: {
    title: 'Interfaces',
    region: 'Interfaces, scrollable',
    note: (count: number) =>
      `${formatQuantity(count, 'interface')}, worst first; choose one to narrow the page to it`,
    none: 'No interface was called in this window.',
    interface: 'Interface',
    topCode: 'Top code',
    topCodeTitle:
      'Of a failing or degraded interface the most frequent code of its service errors, else of all requests that are no success',
    noTopCode: 'none',
    narrow: 'Narrow the page to this interface',
    showAll: 'Show all interfaces again',
  },
  codes: {
    title: 'Codes',
    note: 'all but 0, most frequent first',
    show: (outcome: string) => `Show the requests with this code and the outcome ${outcome}`,
    noRequests: NO_REQUESTS,
    none: 'No request was logged with a code other than 0.',
  },
  exceptions: {
    title: 'Exceptions',
    note: 'most frequent first',
    in: 'in',
    noRequests: NO_REQUESTS,
    none: 'No service error and no exception was logged in this window.',
    noCause: 'no cause given',
    otherCauses: 'with other causes of this kind',
    moreInterfaces: (count: number) => (count > 0 ? `and ${formatQuantity(count, 'more interface')}` : ''),
    isNew: 'new in this window',
    isRegressed: (hours: number) => `back after ${formatQuantity(hours, 'hour')}`,
    isMuted: (by: string, reason: string) => `muted by ${by}: ${reason}`,
    showRequests: 'Show requests',
    oneSample: 'One sample',
    requests: 'Requests',
    firstSeen: 'First seen',
    lastSeen: 'Last seen',
    where: 'Where',
    nodesAndRegions: (nodes: number, regions: number) =>
      `${formatQuantity(nodes, 'node')}, ${formatQuantity(regions, 'region')}`,
  },
  matching: {
    label: (total: number, most: string) => `${formatExact(total)} requests match over the window${most}`,
    most: (requests: number) => `; most in one step: ${formatExact(requests)}`,
    inWindow: (count: string) => `${count} match in the window`,
  },
};
