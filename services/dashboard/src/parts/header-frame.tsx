/*
 * The frame of the bar on top of every page: the way home, where the reader is, the other pages, theme, sign-out.
 */
import { type ReactNode, useContext } from 'react';
import { Link } from 'wouter';
import { SessionContext } from '../api/session-context.js';
import { chooseTheme, THEME_CHOICES, type ThemeChoice, useThemeChoice } from '../state/theme.js';
import { texts } from '../words/texts.js';

type Props = {
  readonly home: string;
  /** Where the reader is. */
  readonly crumbs: ReactNode;
  /** Before those of every page. */
  readonly controls?: ReactNode;
  /** Notes between the two. */
  readonly children?: ReactNode;
};

export function HeaderFrame({ home, crumbs, controls, children }: Props) {
  return (
    <header className="top">
      <nav className="crumbs" aria-label={texts.header.whereYouAre}>
        <Link href={home} className="home" aria-label={texts.header.home}>
          <Wordmark />
        </Link>
        {crumbs}
      </nav>
      {children}
      <div className="controls">
        {controls}
        <ThemeSwitch />
        <SignOut />
      </div>
    </header>
  );
}

function SignOut() {
  const { session, signOut } = useContext(SessionContext);
  return (
    <button
      type="button"
      className="button icon"
      title={session === null ? texts.session.signOut : texts.session.signOutOf(session.name)}
      aria-label={texts.session.signOut}
      data-testid="sign-out"
      onClick={() => void signOut()}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M9.5 2.5h-6v11h6M6.5 8h7m-2.5-3 3 3-3 3" />
      </svg>
    </button>
  );
}

export function Wordmark() {
  return (
    <span className="wordmark">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="7" />
        <path d="M5 18h5l3-9 5 15 3.5-10 1.5 4h4" />
      </svg>
      {texts.header.product}
    </span>
  );
}

const THEME_PATHS: Readonly<Record<ThemeChoice, string>> = {
  system: 'M2 3h12v8H2zM6 14h4M8 11v3',
  light:
    'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1',
  dark: 'M13 9.800A5.500 5.500 0 0 1 6.200 3a5.500 5.500 0 1 0 6.800 6.800z',
};

function ThemeSwitch() {
  const choice = useThemeChoice();
  const next = THEME_CHOICES[(THEME_CHOICES.indexOf(choice) + 1) % THEME_CHOICES.length] ?? 'system';
  const label = texts.header.theme(choice, next);
  return (
    <button
      type="button"
      className="button icon"
      title={label}
      aria-label={label}
      data-testid="theme-switch"
      onClick={() => {
        chooseTheme(next);
      }}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={THEME_PATHS[choice]} />
      </svg>
    </button>
  );
}
