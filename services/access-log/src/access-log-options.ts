/* What a caller states about a log, so that its lines can be read. */
import type { Escape } from './value-shapes.js';

export type AccessLogOptions = {
  /** Tried in this order; the first that fits a line reads it. */
  readonly formats: readonly { readonly text: string; readonly escape: Escape }[];
  /** Whose requests these are; undefined: the `sdkappid` of each request. */
  readonly sdkAppId: number | undefined;
  /** The variable that holds the IM code, without the dollar. */
  readonly codeVariable: string | undefined;
  readonly node: string | undefined;
  readonly region: string | undefined;
};
