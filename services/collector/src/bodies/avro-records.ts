/*
 * Decodes the records of one decompressed Avro block into the form that JSON has. Reads field by field, in the order in
 * which schemas/src/request-log-encoder.ts writes them: decoding with avsc takes ten times as long. Every length is checked
 * against the remaining bytes; malformed bytes throw. The caller passes on no record before the last one is decoded.
 */
import { RawFields } from '@imscope/schemas/raw-fields.js';
import { EncodedAddress } from '../intake/exit-address.js';
import { internedText } from '../intake/interned-text.js';
import { Rejection } from '../intake/reject-reasons.js';

const ADDRESS_BYTES = 16;
const OUTCOMES = 4;
/** Each byte has seven bits; of the tenth byte only the lowest bit is within 64 bits. */
const LONG_BYTES_MAX = 10;
const LAST_BYTE_MAX = 1;

export class AvroRecords {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(plain: Buffer) {
    this.#bytes = plain;
  }

  /** True after the last byte. */
  get ended(): boolean {
    return this.#position === this.#bytes.length;
  }

  /** The next record; `outcome` and `weight` are checked and left out. @throws RangeError if the bytes are malformed */
  next(): RawFields | Rejection {
    const record = new RawFields();
    record.time = this.#long();
    record.sdk_app_id = this.#long();
    record.interface = this.#text();
    record.exit_ip = this.#address();
    record.latency_ms = this.#long() / 1_000;
    record.upstream_ms = this.#nullable() ? this.#long() / 1_000 : null;
    record.rtt_ms = this.#nullable() ? this.#long() / 1_000 : null;
    record.code = this.#nullable() ? this.#long() : null;
    record.http_status = this.#long();
    this.#outcome();
    record.exception = this.#text();
    record.cause = this.#text();
    record.node = this.#text();
    record.region = this.#text();
    record.platform = this.#text();
    record.sdk_version = this.#text();
    record.request_id = this.#newText();
    const weight = this.#long();
    if (weight === 1) return record;
    return new Rejection('out_of_range', `weight is ${weight}: give 1, records are sampled here`);
  }

  /** Skipped: `validateRecord` classifies the outcome. */
  #outcome(): void {
    const outcome = this.#long();
    if (outcome < 0 || outcome >= OUTCOMES) throw malformed();
  }

  /**
   * A zig-zag long. Up to 28 bits by shifts, beyond by multiplication, which keeps 53 bits. A larger number is rounded: it
   * is outside the bounds of every field, so only its record is refused.
   */
  #long(): number {
    const bytes = this.#bytes;
    let position = this.#position;
    let byte = bytes[position++] ?? CUT_SHORT;
    let low = byte & 0x7f;
    for (let shift = 7; byte >= 0x80 && shift < 28; shift += 7) {
      byte = bytes[position++] ?? CUT_SHORT;
      low |= (byte & 0x7f) << shift;
    }
    let value = low;
    for (let factor = 2 ** 28; byte >= 0x80; factor *= 0x80) {
      const read = position - this.#position;
      if (byte === CUT_SHORT || read >= LONG_BYTES_MAX) throw malformed();
      byte = bytes[position++] ?? CUT_SHORT;
      if (read === LONG_BYTES_MAX - 1 && byte > LAST_BYTE_MAX) throw malformed();
      value += (byte & 0x7f) * factor;
    }
    this.#position = position;
    // The lowest bit is the sign. It is taken from `low`, because `value` may be rounded.
    return low % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** True if a value follows. */
  #nullable(): boolean {
    const branch = this.#long();
    if (branch !== 0 && branch !== 1) throw malformed();
    return branch === 1;
  }

  #text(): string {
    const end = this.#textEnd();
    const text = internedText(this.#bytes, this.#position, end);
    this.#position = end;
    return text;
  }

  /** For values that do not repeat. */
  #newText(): string {
    const end = this.#textEnd();
    const text = this.#bytes.toString('utf8', this.#position, end);
    this.#position = end;
    return text;
  }

  #textEnd(): number {
    const length = this.#long();
    const end = this.#position + length;
    if (length < 0 || end > this.#bytes.length) throw malformed();
    return end;
  }

  #address(): EncodedAddress {
    const start = this.#position;
    const end = start + ADDRESS_BYTES;
    if (end > this.#bytes.length) throw malformed();
    this.#position = end;
    return EncodedAddress.of(this.#bytes, start);
  }
}

/** Replaces a byte beyond the end. Above 0x7f, so that a long continues and is recognised as truncated. */
const CUT_SHORT = 0x100;

function malformed(): RangeError {
  return new RangeError('not a record of its schema');
}
