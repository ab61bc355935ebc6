/*
 * The records of one unpacked Avro block, in the form JSON has them. Read field by field as schemas/src/request-log-encoder.ts
 * writes them: walking the schema with avsc takes ten times as long. Every length is held against the bytes that
 * remain; what is no record throws, and the caller hands on nothing before the last one.
 */
import { RawFields } from '@imscope/schemas/raw-fields.js';
import { EncodedAddress } from '../intake/exit-address.js';
import { internedText } from '../intake/interned-text.js';
import { Rejection } from '../intake/reject-reasons.js';

const ADDRESS_BYTES = 16;
const OUTCOMES = 4;
/** Seven bits a byte: of the tenth only the lowest is within 64 bits. */
const LONG_BYTES_MAX = 10;
const LAST_BYTE_MAX = 1;

export class AvroRecords {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(plain: Buffer) {
    this.#bytes = plain;
  }

  /** Nothing is left. */
  get ended(): boolean {
    return this.#position === this.#bytes.length;
  }

  /** The next record, as far as it is a gateway's to tell. @throws RangeError where the bytes are none */
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

  /** Passed over: outcomes are judged here. */
  #outcome(): void {
    const outcome = this.#long();
    if (outcome < 0 || outcome >= OUTCOMES) throw malformed();
  }

  /**
   * Zig-zag. Up to 28 bits by shifts, beyond by multiplying, which keeps 53 bits. A number beyond these is rounded: no
   * field takes one so large, so its record is refused as out of range and its neighbours stay.
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
    // The lowest bit is the sign; of a rounded value it is known from the first bits alone.
    return low % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** True where a value follows. */
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

  /** For texts that no other record has. */
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

/** In the place of a byte behind the end; above 0x7f, so that a number goes on and is seen to have none. */
const CUT_SHORT = 0x100;

function malformed(): RangeError {
  return new RangeError('no record of its schema');
}
