/*
 * multipart/form-data with text fields, as clients send `query` and `param_…` that are too long for a URL.
 * Files ("external data for query processing") are refused by name.
 */
import { storeError } from './store-error.js';

/** The boundary, where the content type is a form. */
export function formBoundary(contentType: string | undefined): string | undefined {
  if (contentType === undefined || !/^multipart\/form-data\b/i.test(contentType)) return undefined;
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw storeError(36, 'multipart/form-data without a boundary');
  return boundary;
}

/** Reads all fields in order. Throws code 36 on a malformed form, code 48 on files. */
export function readForm(body: Buffer, boundary: string): [string, string][] {
  const text = body.toString('latin1');
  const delimiter = `--${boundary}`;
  const parts = `\r\n${text}`.split(`\r\n${delimiter}`);
  if (parts.length < 2 || !(parts.at(-1) ?? '').startsWith('--'))
    throw storeError(36, 'The form is malformed: it does not end with its boundary');
  return parts.slice(1, -1).map((part) => {
    const headersEnd = part.indexOf('\r\n\r\n');
    const headers = part.slice(0, headersEnd);
    const name = /name="([^"]*)"/i.exec(headers)?.[1];
    if (headersEnd < 0 || name === undefined)
      throw storeError(36, 'The form is malformed: a field has no name');
    if (/;\s*filename="/i.test(headers) || /_(?:format|types|structure)$/.test(name))
      throw storeError(48, `External data ("${name}") is not supported: insert it into a table first`);
    return [name, Buffer.from(part.slice(headersEnd + 4), 'latin1').toString('utf8')];
  });
}
