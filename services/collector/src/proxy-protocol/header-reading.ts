/* What the bytes so far of a connection are, as a PROXY header of either version. */

/** `no_header`: not how one begins; `malformed`: begins so and breaks the rules; `too_long`: beyond its bound. */
export type HeaderFault = 'no_header' | 'malformed' | 'too_long' | 'bad_checksum';

export type HeaderReading =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'fault'; readonly fault: HeaderFault }
  | {
      readonly kind: 'header';
      /** Bytes of the header; what is behind them belongs to HTTP or TLS. */
      readonly length: number;
      /** Undefined: the header names nobody (LOCAL, UNKNOWN, UNSPEC), the peer speaks for itself. */
      readonly source: string | undefined;
    };

export const INCOMPLETE: HeaderReading = { kind: 'incomplete' };

export function fault(of: HeaderFault): HeaderReading {
  return { kind: 'fault', fault: of };
}
