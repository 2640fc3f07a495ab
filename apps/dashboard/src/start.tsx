// The page: one session, one live view of a namespace, and the screens over it.
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { followTheme } from './shell/theme.ts';

export function start(): void {
  followTheme();
  const page = document.getElementById('page');
  if (page !== null) createRoot(page).render(<App />);
}
