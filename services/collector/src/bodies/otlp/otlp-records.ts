/*
 * What comes out of an OTLP body in either of its forms: the records, all of them before the first is handed on, and
 * counts of attributes that went into none. Bounded by `recordsMax`; a record without content takes two bytes.
 */
import type { Stray } from './attributes.js';
import type { Sheet } from './sheet.js';

export class OtlpRecords {
  readonly values: unknown[] = [];
  attributesIgnored = 0;
  personalDropped = 0;
  readonly #recordsMax: number;
  readonly #tooMany: () => Error;

  /** @param tooMany what is thrown where there are more than `recordsMax` */
  constructor(recordsMax: number, tooMany: () => Error) {
    this.#recordsMax = recordsMax;
    this.#tooMany = tooMany;
  }

  add(value: unknown): void {
    if (this.values.length >= this.#recordsMax) throw this.#tooMany();
    this.values.push(value);
  }
}

/** An attribute that is none of a record's fields. */
export function takeStray(stray: Stray, name: string, sheet: Sheet, records: OtlpRecords): void {
  if (stray === 'misnamed') sheet.refuse(name);
  else if (stray === 'personal') records.personalDropped += 1;
  else records.attributesIgnored += 1;
}
