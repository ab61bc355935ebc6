/*
 * Which filters an answer about prefixes may have: blocks are published whatever the filters, and only their parts of
 * one interface are published by themselves.
 */
import { HttpError } from '@imscope/runtime/http-errors.js';

/** Throws `HttpError` prefix_filter_not_allowed. @param query lists are filters, other values are not */
export function requireInterfaceAlone(query: Readonly<Record<string, unknown>>): void {
  const others = Object.entries(query).flatMap(([name, value]) =>
    name !== 'interface' && Array.isArray(value) && value.length > 0 ? [name] : [],
  );
  if (others.length === 0) return;
  throw new HttpError(
    'prefix_filter_not_allowed',
    `${others.join(', ')} was given: prefixes are filtered by interface alone, so that no answer is about one person; ` +
      'ask network by=isp or by=asn, which takes all filters',
  );
}
