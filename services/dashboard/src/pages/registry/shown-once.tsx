/*
 * A key or a token, shown once after it was made.
 */
import { useId, useState } from 'react';
import { registryTexts } from '../../words/registry-texts.js';
import { Modal } from './action-dialog.js';

const words = registryTexts.secrets;

export function ShownOnce({ secret, onClose }: { readonly secret: string; readonly onClose: () => void }) {
  const heading = useId();
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(secret);
    setCopied(true);
  };
  return (
    <Modal labelledBy={heading} onClose={onClose}>
      <div className="dialog-form" data-testid="shown-once">
        <h2 id={heading}>{words.shownOnce}</h2>
        <p>{words.shownOnceAdvice}</p>
        <code className="secret" data-testid="secret">
          {secret}
        </code>
        <div className="dialog-actions">
          <button type="button" className="button" onClick={() => void copy()}>
            {isCopied ? words.copied : words.copy}
          </button>
          <button type="button" className="button primary" onClick={onClose}>
            {words.close}
          </button>
        </div>
      </div>
    </Modal>
  );
}
