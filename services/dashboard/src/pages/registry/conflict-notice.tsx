/*
 * Said where somebody else saved the application while it was edited here: what they changed, and what both change.
 */
import type { Difference } from '@imscope/schemas/registry-api/application.js';
import { registryTexts } from '../../words/registry-texts.js';
import { DifferencesList } from './differences-list.js';
import type { FieldPath } from './field-schema.js';

type Props = {
  readonly version: number;
  readonly author: string;
  readonly reason: string;
  readonly differences: readonly Difference[];
  readonly overlapping: ReadonlySet<FieldPath>;
};

export function ConflictNotice({ version, author, reason, differences, overlapping }: Props) {
  const words = registryTexts.conflict;
  return (
    <section
      className="notice warn conflict"
      role="alert"
      data-testid="conflict"
      data-value={overlapping.size}
    >
      <div>
        <h2>{words.title(version)}</h2>
        <p>{words.who(author, reason)}</p>
        <p>{words.explain}</p>
        <h3>{words.theirs}</h3>
        <DifferencesList differences={differences} marked={{ fields: overlapping, text: words.both }} />
      </div>
    </section>
  );
}
