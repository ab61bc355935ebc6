/*
 * The full check of an application's state: every fault, each by its JSON pointer with what was received and what is
 * allowed. The schema is checked first; what it cannot say, such as a limit below the quota, after it.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';
import { shortened } from '@imscope/runtime/query-parameters.js';
import { addressFault, templateFault } from '@imscope/schemas/link-template.js';
import { ApplicationState } from '@imscope/schemas/registry-api/application.js';
import { TRTC_SUBSCRIPTION } from '@imscope/schemas/registry-api/details.js';
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { Ajv, type ErrorObject } from 'ajv';
import { isObject } from './merge-patch.js';
import { allowedValues, type DescribedSchema } from '@imscope/schemas/registry-api/allowed-values.js';
import { escaped } from '@imscope/schemas/registry-api/differences.js';

export type StateFault = {
  /** JSON pointer. */
  readonly path: string;
  readonly received: string;
  readonly allowed: string;
};

/** Texts that may hold credentials: the callback's URL, and what is sent instead of an object. */
const HIDDEN_PATHS: ReadonlySet<string> = new Set(['', '/configuration/callback/url']);
/** Faults that one message names. */
const FAULTS_SHOWN_MAX = 20;

const ajv = new Ajv({ allErrors: true, verbose: true, strict: false });
const hasShapeOfState = ajv.compile<ApplicationState>(ApplicationState);

/** The state, or all its faults. Pure. */
export function checkState(
  value: unknown,
):
  | { readonly ok: true; readonly state: ApplicationState }
  | { readonly ok: false; readonly faults: StateFault[] } {
  if (!hasShapeOfState(value)) return { ok: false, faults: faultsOfSchema(hasShapeOfState.errors ?? []) };
  const faults = [...faultsOfDetails(value), ...faultsOfSettings(value), ...faultsOfConfiguration(value)];
  return faults.length === 0 ? { ok: true, state: value } : { ok: false, faults };
}

/** @throws HttpError invalid_parameter that names all faults */
export function requireState(value: unknown): ApplicationState {
  const checked = checkState(value);
  if (checked.ok) return checked.state;
  throw new HttpError('invalid_parameter', `${describeFaults(checked.faults)}. Nothing was changed`);
}

export function describeFaults(faults: readonly StateFault[]): string {
  const shown = faults.slice(0, FAULTS_SHOWN_MAX).map((fault) => {
    const { path, received, allowed } = fault;
    return `${path === '' ? 'the body' : shortened(path)} is ${received}: give ${allowed}`;
  });
  const more = faults.length - shown.length;
  return `${shown.join('; ')}${more > 0 ? `; and ${more} more faults` : ''}`;
}

/** One fault a place: where a value fits none of several schemas, the checker reports each of them. */
export function faultsOfSchema(errors: readonly ErrorObject[]): StateFault[] {
  const faults = new Map<string, StateFault>();
  for (const error of errors) {
    const fault = faultOf(error);
    const isOfSeveral = error.keyword === 'anyOf';
    if (isOfSeveral || !faults.has(fault.path)) faults.set(fault.path, fault);
  }
  return [...faults.values()];
}

function faultOf(error: ErrorObject): StateFault {
  const { keyword, params, instancePath, parentSchema } = error;
  const schema: DescribedSchema = Object.fromEntries(Object.entries(parentSchema ?? {}));
  if (keyword === 'required') {
    const name = String(params['missingProperty']);
    const allowed = allowedValues(schema.properties?.[name] ?? {});
    return { path: `${instancePath}/${escaped(name)}`, received: 'missing', allowed };
  }
  if (keyword === 'additionalProperties') {
    const name = String(params['additionalProperty']);
    const names = Object.keys(schema.properties ?? {});
    return {
      path: `${instancePath}/${escaped(name)}`,
      received: 'unknown',
      allowed: names.length === 0 ? allowedValues(schema) : `any of ${names.join(', ')}`,
    };
  }
  return {
    path: instancePath,
    received: receivedBy(error),
    allowed: allowedValues(schema),
  };
}

function receivedBy({ keyword, instancePath, parentSchema, data }: ErrorObject): string {
  if (keyword === 'uniqueItems') return 'a list with one value twice';
  const isSecret = parentSchema?.['writeOnly'] === true && !isObject(data) && !Array.isArray(data);
  return isSecret ? 'a value (not shown)' : shown(instancePath, data);
}

/** Lists and objects are only named. */
function shown(path: string, value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isObject(value)) return `an object of ${Object.keys(value).length} members`;
  if (HIDDEN_PATHS.has(path) && typeof value === 'string') return 'a text (not shown)';
  return shortened(JSON.stringify(value) ?? 'missing');
}

function faultsOfDetails({ details: { runbook_url: runbook, links } }: ApplicationState): StateFault[] {
  const addresses = [
    { path: '/details/runbook_url', fault: runbook === '' ? undefined : addressFault(runbook) },
    ...links.map(({ url }, index) => ({ path: `/details/links/${index}/url`, fault: templateFault(url) })),
  ];
  const titles = links.map(({ title }) => title);
  return [
    ...addresses.flatMap(({ path, fault }) =>
      fault === undefined
        ? []
        : [{ path, received: `an address that cannot be used: ${fault}`, allowed: 'an http or https URL' }],
    ),
    ...repeated(titles, '/details/links', 'title', 'each link a title of its own'),
  ];
}

function faultsOfSettings({ settings }: ApplicationState): StateFault[] {
  const {
    quota_per_second: quota,
    limit_per_second: limit,
    codes,
    slo_targets: targets,
    interfaces,
  } = settings;
  const faults: StateFault[] = [];
  if (quota !== null && limit !== null && limit < quota) {
    faults.push({
      path: '/settings/limit_per_second',
      received: `${limit}, less than the quota of ${quota}`,
      allowed: 'a limit of at least the quota: beyond the limit all is refused',
    });
  }
  for (const code of Object.keys(codes)) {
    const number = Number(code);
    const isInRange = number >= REQUEST_LOG_BOUNDS.codeMin && number <= REQUEST_LOG_BOUNDS.codeMax;
    if (isInRange && String(number) === code) continue;
    faults.push({
      path: `/settings/codes/${code}`,
      received: 'not the code of an answer',
      allowed: 'codes that are 32-bit whole numbers, without leading zeros',
    });
  }
  const targeted = targets.map((target) => target.interface ?? '');
  const named = interfaces.map(({ interface: name }) => name);
  return [
    ...faults,
    ...repeated(targeted, '/settings/slo_targets', 'interface', 'one target an interface'),
    ...repeated(named, '/settings/interfaces', 'interface', 'each interface once'),
  ];
}

function faultsOfConfiguration({ details, configuration }: ApplicationState): StateFault[] {
  const { callback, push_certificates: certificates, custom_fields: fields, share_with_trtc } = configuration;
  const faults: StateFault[] = [];
  if (callback.enabled && callback.url === null) {
    faults.push({
      path: '/configuration/callback/url',
      received: 'null, and the callback is enabled',
      allowed: 'its URL, or disable the callback',
    });
  }
  if (share_with_trtc && !details.subscriptions.includes(TRTC_SUBSCRIPTION)) {
    faults.push({
      path: '/configuration/share_with_trtc',
      received: `true, without the subscription ${TRTC_SUBSCRIPTION}`,
      allowed: `false, or add ${TRTC_SUBSCRIPTION} to /details/subscriptions`,
    });
  }
  const ids = certificates.map(({ id }) => id);
  return [
    ...faults,
    ...repeated(ids, '/configuration/push_certificates', 'id', 'each certificate an id of its own'),
    ...Object.entries(fields).flatMap(([kind, list]) =>
      repeated(
        list.map(({ name }) => name),
        `/configuration/custom_fields/${kind}`,
        'name',
        'each field a name of its own',
      ),
    ),
  ];
}

function repeated(values: readonly string[], path: string, member: string, allowed: string): StateFault[] {
  return values.flatMap((value, index) =>
    values.indexOf(value) === index
      ? []
      : [
          {
            path: `${path}/${index}/${member}`,
            received: `${shortened(JSON.stringify(value))} a second time`,
            allowed,
          },
        ],
  );
}
