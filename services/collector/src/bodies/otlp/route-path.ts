/*
 * Converts a route, as frameworks and instrumentations write it, to a path with `{id}` for each parameter. By the
 * conventions `http.route` is a path template, but often it is the framework's own text: with a method or a host in front, a
 * regular expression, a wildcard. Every step is linear in the text.
 */
import { isIdSegment } from '@imscope/schemas/id-segment.js';
import { memoizeText } from './memoize-text.js';

export type RoutePath = {
  readonly path: string;
  /** Has a word other than the version and ids, and only words and parameters. Other routes rank below the request's path. */
  readonly isSpecific: boolean;
};

/** A longer route is used as it is. */
const LENGTH_MAX = 1_024;

/** Replaces a parameter until the route is split. A private-use character, which no route contains. */
const MARK = '\uE000';
const METHOD =
  /^\[?(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|QUERY|ANY|ALL|\*)(?:[,|] ?[A-Z]{3,7}){0,8}\]?(?:\s+|:(?=[/^]))/i;
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;
/** A host in front, as patterns of Go's `ServeMux` may have one. */
const HOST = /^(?:localhost|[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,})(?::\d+)?(?=\/)/;
/** A regular expression as JavaScript writes it. */
const DELIMITED = /^\/(.*\\\/.*)\/[dgimsuvy]*$/s;
/** Selectors of Ktor. */
const SELECTOR = /\/?\((?:method|header|accept|host|port|param)[:= ][^()]*\)/gi;
const WORD = /^[\w.-]+$/;
/** Groups within groups are replaced from the inside out. */
const GROUP_DEPTH_MAX = 8;

export const routePath = memoizeText(readRoute);

function readRoute(route: string): RoutePath {
  if (route.length > LENGTH_MAX) return { path: route, isSpecific: false };
  const bare = route.replaceAll(MARK, '').trim().replace(METHOD, '').replace(ORIGIN, '');
  if (bare === '') return { path: '', isSpecific: false };
  const marked = markParameters(bare.replace(DELIMITED, '$1').replaceAll(SELECTOR, ''));
  const segments = withoutQuery(marked)
    .replace(HOST, '')
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => (isParameter(segment) ? '{id}' : segment));
  const words = segments.filter((segment) => segment !== '{id}');
  return {
    path: `/${segments.join('/')}`,
    isSpecific: words.some(namesInterface) && words.every((word) => WORD.test(word)),
  };
}

/** `404`, which some frameworks set if no route matches, counts as an id. */
function namesInterface(word: string): boolean {
  return word.toLowerCase() !== 'v4' && !isIdSegment(word);
}

/** `{name}`, `{name:regex}`, `[name]`, `<int:name>`, groups and classes of regular expressions become marks. */
function markParameters(route: string): string {
  const braces = route
    .replaceAll('{$}', '')
    .replaceAll(/\{(?:[^{}]|\{[^{}]*\})*\}/g, (text, at: number, whole: string) =>
      isQuantifier(text) && at > 0 && whole[at - 1] !== '/' ? '' : MARK,
    );
  const classes = braces.replaceAll(/\[(?:\\.|[^[\]\\])*\]/g, MARK).replaceAll(/\[[^[\]]*\]/g, MARK);
  const unescaped = classes
    .replaceAll(/(?<!\\)\.[*+]\??/g, MARK)
    .replaceAll(/\\[dDwWsS]/g, MARK)
    .replaceAll(/\\[AZzb]/g, '')
    .replaceAll(/\\(.)/g, '$1');
  return markGroups(unescaped.replaceAll(/\(\?[a-z-]+\)/gi, ''))
    .replaceAll(/<[^<>]*>/g, MARK)
    .replaceAll(/(^|\/)\$\w+/g, `$1${MARK}`)
    .replaceAll(/[\^$]/g, '')
    .replaceAll(/\uE000[*+?]+/g, MARK);
}

function isQuantifier(braces: string): boolean {
  return /^\{\d+(?:,\d*)?\}$/.test(braces);
}

function markGroups(route: string): string {
  let text = route;
  for (let depth = 0; depth < GROUP_DEPTH_MAX; depth++) {
    const next = text.replaceAll(
      /\((\?(?:P?<[^<>()]*>|<?[=!]|:))?([^()]*)\)([?*+]?)/g,
      (_group, head: string | undefined, inner: string, times: string) => {
        if (head !== undefined && /[=!]$/.test(head)) return '';
        if (head === '?:' && times === '' && WORD.test(inner)) return inner;
        return inner.startsWith('/') ? `/${MARK}` : MARK;
      },
    );
    if (next === text) break;
    text = next;
  }
  return text;
}

/** A question mark at the end of a segment makes it optional; any other begins a query. */
function withoutQuery(route: string): string {
  const text = route.replaceAll(/\?(?=\/|$)/g, '');
  const query = text.indexOf('?');
  return query === -1 ? text : text.slice(0, query);
}

/** `:name` and `*name` too. */
function isParameter(segment: string): boolean {
  return segment.includes(MARK) || /^(?::.|\*)/.test(segment);
}
