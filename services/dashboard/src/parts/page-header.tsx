/*
 * The bar on top of the pages: where the reader is, the time window, and how fresh and how complete the answer is.
 */
import type { ReactNode } from 'react';
import { type AnswerEnvelope, CompletenessNote } from './completeness-note.js';
import { HeaderFrame } from './header-frame.js';
import { windowSearch } from '../state/page-state.js';
import { RefreshButton } from './refresh-button.js';
import type { RefreshControls } from '../api/refresh-context.js';
import type { TimeWindow } from '../state/time-window.js';
import { clippedText } from '../words/window-text.js';
import { WindowPicker } from './window-picker.js';

type Props = {
  readonly window: TimeWindow;
  readonly onWindow: (window: TimeWindow) => void;
  readonly controls: RefreshControls;
  /** The page's main answer, to say how complete it is. */
  readonly answer: AnswerEnvelope | null;
  /** Where the reader is. */
  readonly children?: ReactNode;
};

export function PageHeader({ window, onWindow, controls, answer, children }: Props) {
  return (
    <HeaderFrame
      home={`/${windowSearch(window)}`}
      crumbs={children}
      controls={
        <>
          <WindowPicker window={window} onWindow={onWindow} />
          <RefreshButton controls={controls} />
        </>
      }
    >
      <CompletenessNote answer={answer} live={controls.intervalMs !== null} />
      <ClippedNote window={window} answer={answer} />
    </HeaderFrame>
  );
}

/** Where the answer covers less than the window that is asked for. */
function ClippedNote({ window, answer }: Pick<Props, 'window' | 'answer'>) {
  const text = answer === null ? null : clippedText(window, answer.window, Date.now());
  if (text === null) return null;
  return (
    <p className="freshness" data-testid="clipped">
      {text}
    </p>
  );
}
