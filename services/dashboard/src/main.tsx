/*
 * Starts the dashboard: theme, sign-in code from the address, then the pages.
 */
import { createRoot } from 'react-dom/client';
import { App } from './app.js';
import { openSession } from './api/session-client.js';
import { removeSignInCode } from './api/sign-in-code.js';
import { startTheme } from './state/theme.js';

startTheme();
const opening = openSession(removeSignInCode());
const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with the id "root"');
createRoot(root).render(<App opening={opening} />);
