/*
 * The result of reading an OTLP body in either encoding: the records, and counts of attributes that are in none. All
 * records are read before the first is validated. `recordsMax` bounds the memory: an empty record takes two bytes of the
 * body.
 */
import type { AttributeFields } from './attribute-fields.js';
import type { UnmappedKind } from './attributes.js';

export class OtlpRecords {
  readonly values: unknown[] = [];
  attributesIgnored = 0;
  personalDropped = 0;
  readonly #recordsMax: number;
  readonly #tooMany: () => Error;

  /** @param tooMany creates the error that is thrown beyond `recordsMax` */
  constructor(recordsMax: number, tooMany: () => Error) {
    this.#recordsMax = recordsMax;
    this.#tooMany = tooMany;
  }

  add(value: unknown): void {
    if (this.values.length >= this.#recordsMax) throw this.#tooMany();
    this.values.push(value);
  }

  /** Handles an attribute that has no field. */
  addUnmapped(kind: UnmappedKind, name: string, fields: AttributeFields): void {
    if (kind === 'unknown') fields.addUnknownName(name);
    else if (kind === 'personal') this.personalDropped += 1;
    else this.attributesIgnored += 1;
  }
}
