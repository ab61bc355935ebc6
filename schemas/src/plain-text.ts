/* Text of one line, in any language. Patterns are for checkers that read them with the flag `u`, as Ajv does. */
import { Type } from 'typebox';

/** Excludes halves of surrogate pairs, which are no characters: written as UTF-8 they would become others. */
export const WELL_FORMED_TEXT = '^[^\\ud800-\\udfff]*$';

/** Excludes control characters too, which not every database keeps. */
export const PLAIN_TEXT = '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]*$';

export function plainText(lengthMin: number, lengthMax: number, description?: string) {
  return Type.String({
    minLength: lengthMin,
    maxLength: lengthMax,
    pattern: PLAIN_TEXT,
    ...(description === undefined ? {} : { description }),
  });
}
