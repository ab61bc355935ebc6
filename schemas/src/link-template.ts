/*
 * Links of an application into its operators' own logs and traces: URLs with placeholders, which are filled with what a
 * page or an answer is about. The registry checks a template when it is saved; answers, the dashboard and the CLI fill
 * it here. Values are percent-encoded, and stand only after the host, so a value never decides where a link leads.
 * `.` and `..` are steps of a path however they are written, so they fill nothing.
 */
import { type Static, Type } from 'typebox';
import { plainText } from './plain-text.js';

/** Times are RFC 3339 in UTC, or epoch milliseconds. */
export const PLACEHOLDERS = [
  'request_id',
  'node',
  'from',
  'to',
  'from_ms',
  'to_ms',
  'sdk_app_id',
  'interface',
] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

export const URL_LENGTH_MAX = 500;
export const LINKS_MAX = 8;
/** A filled link that is longer is left out: servers and proxies refuse such addresses. */
export const LINK_BYTES_MAX = 2_000;
const WEB_ADDRESS = '^https?://[^\\s\\x00-\\x1f\\x7f\\ud800-\\udfff]+$';

export const RunbookUrl = Type.String({
  maxLength: URL_LENGTH_MAX,
  // Empty: none.
  pattern: `${WEB_ADDRESS}|^$`,
  description: 'an http or https URL without blanks, or nothing',
});

export const LinkTemplate = Type.Object(
  {
    title: plainText(1, 64),
    url: Type.String({
      minLength: 8,
      maxLength: URL_LENGTH_MAX,
      pattern: WEB_ADDRESS,
      description: `an http or https URL without blanks; after the host it may have ${PLACEHOLDERS.map((name) => `{${name}}`).join(', ')}`,
    }),
  },
  { additionalProperties: false },
);
export type LinkTemplate = Static<typeof LinkTemplate>;

/** A template that was filled. */
export const Link = Type.Object({ title: Type.String(), url: Type.String() });
export type Link = Static<typeof Link>;

/** What is known of the subject of a page or an answer. Times are epoch milliseconds. */
export type LinkSubject = {
  readonly sdkAppId?: number;
  readonly interface?: string;
  readonly node?: string;
  readonly requestId?: string;
  readonly fromMs?: number;
  readonly toMs?: number;
};

const PLACEHOLDER = /\{([^{}]*)\}/g;

/** What is wrong with the URL of a template, with what to give instead; undefined where nothing is. Pure. */
export function templateFault(template: string): string | undefined {
  const names = Array.from(template.matchAll(PLACEHOLDER), ([, name = '']) => name);
  const unknown = names.find((name) => !isPlaceholder(name));
  if (unknown !== undefined) {
    return `the placeholder {${unknown}} is unknown: give any of ${PLACEHOLDERS.map((name) => `{${name}}`).join(', ')}`;
  }
  const filled = template.replaceAll(PLACEHOLDER, 'x');
  if (/[{}]/.test(filled)) return 'a brace is open or closed alone: write it as %7B or %7D';
  const [beforeFirst = ''] = template.split('{', 1);
  if (names.length > 0 && !/^https?:\/\/[^/?#]+[/?#]/.test(beforeFirst)) {
    return 'a placeholder stands before the end of the host: give it in the path, the query or the fragment';
  }
  return addressFault(filled);
}

/** The same of a URL without placeholders. */
export function addressFault(address: string): string | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    return 'it is no http or https URL';
  }
  if (url.username !== '' || url.password !== '') return 'it has credentials: leave them out';
  return undefined;
}

/**
 * The links whose placeholders are all known of the subject, in their order. A template that is wrong gives none, and
 * neither does one whose link would be longer than `LINK_BYTES_MAX`.
 */
export function fillLinks(templates: readonly LinkTemplate[], subject: LinkSubject): Link[] {
  return linkFiller(templates)(subject);
}

export type FillLinks = (subject: LinkSubject) => Link[];

/** The same for many subjects: templates are checked once. */
export function linkFiller(templates: readonly LinkTemplate[]): FillLinks {
  const usable = templates
    .filter(({ url }) => templateFault(url) === undefined)
    .map(({ title, url }) => ({
      title,
      url,
      names: Array.from(url.matchAll(PLACEHOLDER), ([, name = '']) => name),
    }));
  if (usable.length === 0) return () => [];
  return (subject) => {
    const values = valuesOf(subject);
    return usable.flatMap(({ title, url, names }) => {
      if (!names.every((name) => values.has(name))) return [];
      const filled = url.replaceAll(PLACEHOLDER, (_, name: string) => values.get(name) ?? '');
      return byteLength(filled) > LINK_BYTES_MAX ? [] : [{ title, url: filled }];
    });
  };
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

const NOT_KNOWN: ReadonlySet<string | undefined> = new Set([undefined, '', '.', '..']);

/** Percent-encoded. */
function valuesOf(subject: LinkSubject): ReadonlyMap<string, string> {
  const { sdkAppId, interface: name, node, requestId, fromMs, toMs } = subject;
  const values: Readonly<Record<Placeholder, string | undefined>> = {
    request_id: requestId,
    node,
    from: timeText(fromMs),
    to: timeText(toMs),
    from_ms: fromMs?.toString(),
    to_ms: toMs?.toString(),
    sdk_app_id: sdkAppId?.toString(),
    interface: name,
  };
  return new Map(
    Object.entries(values).flatMap(([placeholder, value]) =>
      value === undefined || NOT_KNOWN.has(value)
        ? []
        : [[placeholder, encodeURIComponent(wellFormed(value))] as const],
    ),
  );
}

function timeText(timeMs: number | undefined): string | undefined {
  return timeMs === undefined ? undefined : new Date(timeMs).toISOString();
}

/** Half of a surrogate pair cannot be percent-encoded. */
function wellFormed(text: string): string {
  return text.replaceAll(/[\ud800-\udfff]/gu, '\ufffd');
}

function isPlaceholder(name: string): name is Placeholder {
  return PLACEHOLDERS.some((one) => one === name);
}
