/** Why bytes are no valid container. A closed list: it is the reason of a dead letter. */
export type ContainerFault =
  | 'bad_magic'
  | 'bad_header'
  | 'unknown_schema'
  | 'unsupported_codec'
  | 'truncated'
  | 'bad_sync'
  /** A block cannot be decompressed. */
  | 'bad_packing'
  | 'bad_record'
  | 'too_large';

export type Fallible<T> =
  ({ readonly ok: true } & T) | { readonly ok: false; readonly fault: ContainerFault };
