/*
 * Numbers that come as text: what `OTEL_RESOURCE_ATTRIBUTES`, log shippers and protobuf's JSON give. One rule for every
 * source, so that the same text is the same number, or none, by whatever way it came.
 */

/** No sign but a minus, no exponent, no hex, no white space; 20 digits are what 64 bits hold. */
const DECIMAL = /^-?\d{1,20}(?:\.\d{1,16})?$/;

/** The number of a plain decimal; undefined where the text is none. */
export function decimalOfText(text: string): number | undefined {
  return DECIMAL.test(text) ? Number(text) : undefined;
}
