/*
 * An application's name beside its SDKAppID, with its package and owner as a tooltip; nothing where no name is known.
 */
import type { NamedApplication } from '@imscope/schemas/query-api/application-name.js';
import { texts } from '../words/texts.js';

type Props = { readonly of: Pick<NamedApplication, 'name' | 'package' | 'owner'> | undefined };

export function ApplicationLabel({ of }: Props) {
  if (of === undefined || of.name === '') return null;
  return (
    <span className="application-name" title={texts.application.whose(of)}>
      {of.name}
    </span>
  );
}
