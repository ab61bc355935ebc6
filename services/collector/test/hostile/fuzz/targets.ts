/* Every parser that bytes from outside reach, for tests and for long runs. */
import { BODY_TARGETS } from './body-targets.js';
import type { FuzzTarget } from './target.js';
import { TEXT_TARGETS } from './text-targets.js';

export const FUZZ_TARGETS: readonly FuzzTarget[] = [...BODY_TARGETS, ...TEXT_TARGETS];
