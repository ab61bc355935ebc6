/*
 * The name of an interface, which may break after its slashes and underscores where it is short of room.
 */
import { Fragment } from 'react';

export function InterfaceName({ name }: { readonly name: string }) {
  const parts = name.split(/(?<=[/_])/);
  return (
    <code>
      {parts.map((part, index) => (
        // Parts never move, and one may be there twice.
        <Fragment key={`${index.toString()} ${part}`}>
          {index > 0 && <wbr />}
          {part}
        </Fragment>
      ))}
    </code>
  );
}
