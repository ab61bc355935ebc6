/* The methods of each route of an app, for 405 and its `Allow`. Routes are added while the app is built. */
const ORDER = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export class RouteMethods {
  /** By the route's path, such as `/v1/applications/:sdk_app_id/overview`. */
  readonly #methods = new Map<string, Set<string>>();

  /** @param route path of a route; `:name` matches one segment, also an empty one, `*` at the end matches any rest */
  add(route: string, methods: readonly string[]): void {
    const known = this.#methods.get(route) ?? new Set<string>();
    for (const method of methods) known.add(method.toUpperCase());
    this.#methods.set(route, known);
  }

  /** The methods of the routes that match a path, in a fixed order; empty where none matches. */
  allowedAt(path: string): string[] {
    const segments = path.split('/').map(decoded);
    const found = new Set<string>();
    for (const [route, methods] of this.#methods) {
      if (matches(route.split('/'), segments)) for (const method of methods) found.add(method);
    }
    return [...found].toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  }
}

function rank(method: string): number {
  return ORDER.includes(method) ? ORDER.indexOf(method) : ORDER.length;
}

function matches(route: readonly string[], segments: readonly string[]): boolean {
  if (route.at(-1) === '*') {
    const fixed = route.slice(0, -1);
    return segments.length >= route.length && matches(fixed, segments.slice(0, fixed.length));
  }
  return (
    route.length === segments.length &&
    route.every((part, at) => part.startsWith(':') || part === segments[at])
  );
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
