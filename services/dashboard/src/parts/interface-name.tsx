/*
 * The name of an interface. It may break after slashes and underscores where the line is too narrow.
 */
import { Fragment } from 'react';

export function InterfaceName({ name }: { readonly name: string }) {
  const parts = name.split(/(?<=[/_])/);
  return (
    <code>
      {parts.map((part, index) => (
        // Parts never move, and one may occur twice.
        <Fragment key={`${index.toString()} ${part}`}>
          {index > 0 && <wbr />}
          {part}
        </Fragment>
      ))}
    </code>
  );
}
