/* The result of reading the first bytes of a connection as a PROXY header of either version. */

/** `no_header`: does not begin as a header; `malformed`: begins as one and violates the specification. */
export type HeaderFault = 'no_header' | 'malformed' | 'too_long' | 'bad_checksum';

export type ParsedHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'fault'; readonly fault: HeaderFault }
  | {
      readonly kind: 'header';
      /** Bytes of the header; HTTP or TLS follows. */
      readonly length: number;
      /** Undefined if the header names no client (LOCAL, UNKNOWN, UNSPEC): the peer is the client. */
      readonly source: string | undefined;
    };

export const INCOMPLETE: ParsedHeader = { kind: 'incomplete' };

export function fault(code: HeaderFault): ParsedHeader {
  return { kind: 'fault', fault: code };
}
