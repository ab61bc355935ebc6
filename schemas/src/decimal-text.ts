/*
 * Reads numbers that are sent as text, as `OTEL_RESOURCE_ATTRIBUTES`, log shippers and protobuf's JSON do. One rule for
 * every source, so that the same text is always the same number, or none.
 */

/** No sign but a minus, no exponent, no hex, no white space; 20 digits are what 64 bits hold. */
const DECIMAL = /^-?\d{1,20}(?:\.\d{1,16})?$/;

/** The number of a plain decimal; undefined where the text is none. */
export function decimalOfText(text: string): number | undefined {
  return DECIMAL.test(text) ? Number(text) : undefined;
}
