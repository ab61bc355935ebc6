/*
 * The time window of a page: presets, or two times of the reader's own.
 */
import { type SubmitEvent, useEffect, useId, useRef, useState } from 'react';
import { isLive, PRESETS, presetOf, type TimeWindow, toLocalField, toMs } from '../state/time-window.js';
import { texts } from '../words/texts.js';
import { customWindow, describeWindow } from '../words/window-text.js';

type Props = { readonly window: TimeWindow; readonly onWindow: (window: TimeWindow) => void };

export function WindowPicker({ window, onWindow }: Props) {
  const [open, setOpen] = useState(false);
  const preset = presetOf(window);
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!open) return undefined;
    const close = (event: Event): void => {
      const outside = event.target instanceof Node && box.current?.contains(event.target) !== true;
      if (event instanceof KeyboardEvent ? event.key === 'Escape' : outside) setOpen(false);
    };
    document.addEventListener('pointerdown', close);
    document.addEventListener('keydown', close);
    return () => {
      document.removeEventListener('pointerdown', close);
      document.removeEventListener('keydown', close);
    };
  }, [open]);

  return (
    <div className="window-picker" ref={box}>
      <div
        className="joined"
        role="group"
        aria-label={texts.window.group}
        data-testid="window"
        data-value={`${window.from}/${window.to}`}
      >
        {PRESETS.map(({ name, from }) => (
          <button
            key={from}
            type="button"
            className="button"
            title={texts.window.preset[name].title}
            aria-pressed={preset?.from === from}
            onClick={() => {
              setOpen(false);
              onWindow({ from, to: 'now' });
            }}
          >
            {texts.window.preset[name].label}
          </button>
        ))}
        <button
          type="button"
          className="button"
          aria-expanded={open}
          aria-pressed={preset === undefined}
          title={texts.window.customTitle}
          onClick={() => {
            setOpen(!open);
          }}
        >
          {preset === undefined ? describeWindow(window, Date.now()) : texts.window.custom}
        </button>
      </div>
      {open && (
        <CustomForm
          window={window}
          onWindow={(chosen) => {
            setOpen(false);
            onWindow(chosen);
          }}
        />
      )}
    </div>
  );
}

function CustomForm({ window, onWindow }: Props) {
  const [now] = useState(() => Date.now());
  const [from, setFrom] = useState(() => toLocalField(toMs(window.from, now)));
  const [to, setTo] = useState(() => (isLive(window) ? '' : toLocalField(toMs(window.to, now))));
  const [problem, setProblem] = useState('');
  const id = useId();
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const chosen = customWindow(from, to, now);
    if (typeof chosen === 'string') setProblem(chosen);
    else onWindow(chosen);
  };
  return (
    <form className="popover" onSubmit={submit} aria-label={texts.window.customTitle}>
      <label htmlFor={`${id}-from`}>{texts.window.from}</label>
      <input
        id={`${id}-from`}
        type="datetime-local"
        step={1}
        value={from}
        autoFocus
        required
        onChange={(event) => {
          setFrom(event.target.value);
        }}
      />
      <label htmlFor={`${id}-to`}>{texts.window.to}</label>
      <input
        id={`${id}-to`}
        type="datetime-local"
        step={1}
        value={to}
        onChange={(event) => {
          setTo(event.target.value);
        }}
      />
      <p className="quiet">{texts.window.hint(zone)}</p>
      {problem !== '' && (
        <p className="bad" role="alert">
          {problem}
        </p>
      )}
      <button className="button primary" type="submit">
        {texts.window.show}
      </button>
    </form>
  );
}
