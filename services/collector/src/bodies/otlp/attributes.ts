/*
 * Which attribute is which field of a record, and what becomes of all others. Names are OpenTelemetry's semantic
 * conventions where there is one for the thing, and `im.` with the field's own name for every field. The table is
 * the whole mapping; docs/opentelemetry.md tells it to senders.
 */
import { isPersonalField } from '../../intake/personal-fields.js';
import { type Field, FIELDS } from '@imscope/schemas/raw-fields.js';

/** How the value of an attribute becomes the value of a field. `path` may have scheme, host and query too. */
type Form = 'text' | 'number' | 'seconds' | 'route' | 'path' | 'message';

/** Where an attribute goes. Of two usable values of one field, that of the higher rank counts. */
export type Target = { readonly place: number; readonly rank: number; readonly form: Form };

/** `personal` and `ignored` are left out and counted; `misnamed` refuses the record. */
export type Stray = 'personal' | 'ignored' | 'misnamed';

const NUMBERS: ReadonlySet<Field> = new Set([
  'sdk_app_id',
  'latency_ms',
  'upstream_ms',
  'rtt_ms',
  'code',
  'http_status',
]);

/** Of one field the first name with a usable value counts. Some are the names of earlier versions of the conventions. */
const CONVENTIONS: readonly (readonly [field: Field, form: Form, ...names: string[]])[] = [
  ['interface', 'route', 'http.route'],
  ['interface', 'path', 'url.path', 'http.target', 'url.full', 'http.url'],
  ['exit_ip', 'text', 'client.address', 'source.address', 'http.client_ip'],
  ['latency_ms', 'seconds', 'http.server.request.duration'],
  ['latency_ms', 'number', 'http.server.duration'],
  ['http_status', 'number', 'http.response.status_code', 'http.status_code'],
  ['exception', 'text', 'exception.type', 'error.type'],
  ['cause', 'message', 'exception.message', 'error.message'],
  ['node', 'text', 'host.name', 'service.instance.id', 'k8s.pod.name', 'k8s.node.name'],
  ['region', 'text', 'cloud.region'],
];

const OWN_PREFIX = 'im.';
/** Ranks within one level; a record's attributes rank above its resource's by `RECORD_RANK`. */
const OWN_RANK = 9;
/** Of a route that says less than any path. */
export const VAGUE_RANK = 1;
export const RECORD_RANK = 16;

const TARGETS: ReadonlyMap<string, Target> = createTargets();

function createTargets(): Map<string, Target> {
  const targets = new Map<string, Target>();
  FIELDS.forEach((field, place) => {
    const form = NUMBERS.has(field) ? 'number' : 'text';
    targets.set(OWN_PREFIX + field, { place, rank: OWN_RANK, form });
    const names = CONVENTIONS.flatMap(([of, form, ...names]) =>
      of === field ? names.map((name) => ({ name, form })) : [],
    );
    names.forEach(({ name, form }, index) => targets.set(name, { place, rank: OWN_RANK - 1 - index, form }));
  });
  return targets;
}

/** Verdicts on names beside the table: a fleet's SDKs send the same few. Cleared when full; at most 300 kB. */
const STRAYS_MAX = 1_000;
const STRAY_LENGTH_MAX = 128;
let known: Map<string, Target | Stray> = new Map(TARGETS);

export function targetOf(name: string): Target | Stray {
  const found = known.get(name);
  if (found !== undefined) return found;
  const stray = judgeStray(name);
  if (name.length <= STRAY_LENGTH_MAX) {
    if (known.size >= TARGETS.size + STRAYS_MAX) known = new Map(TARGETS);
    known.set(name, stray);
  }
  return stray;
}

/**
 * What SDKs and instrumentations add by themselves is none of the sender's doing, so it refuses nothing. Names under
 * `im.` nobody writes but for us: there a misspelt one must not go unnoticed.
 */
function judgeStray(name: string): Stray {
  if (isPersonalAttribute(name)) return 'personal';
  return name.startsWith(OWN_PREFIX) ? 'misnamed' : 'ignored';
}

const PERSONAL_NAMESPACES = ['user.', 'enduser.', 'user_agent.'];

/** `user.email`, `http.request.header.authorization`, `im.usersig`: by the whole name and by its last word. */
function isPersonalAttribute(name: string): boolean {
  if (PERSONAL_NAMESPACES.some((namespace) => name.startsWith(namespace))) return true;
  if (name.length > STRAY_LENGTH_MAX) return false;
  return isPersonalField(name.slice(name.lastIndexOf('.') + 1)) || isPersonalField(name.replaceAll('.', ''));
}
