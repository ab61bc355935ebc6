/*
 * A key or a token, shown once after it was made.
 */
import { useId, useRef, useState } from 'react';
import { registryTexts } from '../../words/registry-texts.js';
import { Modal } from './action-dialog.js';

const words = registryTexts.secrets;

type Props = {
  readonly secret: string;
  /** Whose it is, where the page does not say it. */
  readonly about?: string;
  readonly onClose: () => void;
};

export function ShownOnce({ secret, about, onClose }: Props) {
  const heading = useId();
  const shown = useRef<HTMLElement>(null);
  const [copied, setCopied] = useState<'pending' | 'done' | 'manually'>('pending');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(secret);
      setCopied('done');
    } catch {
      // Browsers have no clipboard on http addresses, and may deny it elsewhere.
      if (shown.current !== null) getSelection()?.selectAllChildren(shown.current);
      setCopied('manually');
    }
  };
  return (
    <Modal labelledBy={heading} onClose={onClose}>
      <div className="dialog-form" data-testid="shown-once">
        <h2 id={heading}>{words.shownOnce}</h2>
        {about !== undefined && <p>{about}</p>}
        <div className="notice warn">
          <p>{words.shownOnceAdvice}</p>
        </div>
        <code ref={shown} className="secret" data-testid="secret">
          {secret}
        </code>
        {copied === 'manually' && (
          <p className="quiet" role="status">
            {words.copyByHand}
          </p>
        )}
        <div className="dialog-actions">
          <button
            type="button"
            className={`button ${copied === 'pending' ? 'primary' : ''}`}
            data-testid="copy"
            onClick={() => void copy()}
          >
            {copied === 'done' ? words.copied : words.copy}
          </button>
          <button
            type="button"
            className={`button ${copied === 'pending' ? '' : 'primary'}`}
            onClick={onClose}
          >
            {words.close}
          </button>
        </div>
      </div>
    </Modal>
  );
}
