/*
 * Live or paused, in one button; beside it "refresh now", the only one for a window in the past.
 */
import { formatSpan } from '../words/format-time.js';
import { texts } from '../words/texts.js';
import type { RefreshControls } from '../api/refresh-context.js';

export function RefreshButton({ controls }: { readonly controls: RefreshControls }) {
  const { possibleMs, paused, setPaused, refreshNow } = controls;
  const live = possibleMs !== null && !paused;
  return (
    <div className="joined">
      {possibleMs !== null && (
        <button
          type="button"
          className={live ? 'button live' : 'button'}
          aria-pressed={live}
          title={live ? texts.header.refresh.live(formatSpan(possibleMs)) : texts.header.refresh.goLive}
          data-testid="live-toggle"
          data-value={live ? 'live' : 'paused'}
          onClick={() => {
            setPaused(live);
          }}
        >
          <i className={live ? 'pulse' : 'pulse off'} aria-hidden="true" />
          {live ? (
            <span>
              <span className="live-word">{texts.header.refresh.livePrefix}</span>
              {formatSpan(possibleMs)}
            </span>
          ) : (
            texts.header.refresh.paused
          )}
        </button>
      )}
      <button
        type="button"
        className="button icon"
        title={texts.header.refresh.now}
        aria-label={texts.header.refresh.now}
        onClick={refreshNow}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M13.500 8A5.500 5.500 0 1 1 11.800 4.100M12.500 1.500v3h-3" />
        </svg>
      </button>
    </div>
  );
}
