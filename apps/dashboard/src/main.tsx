// The page: one session, one live view of a namespace, and the screens over it.
import { createRoot } from 'react-dom/client';
import { z } from 'zod';
import { App } from './app.tsx';
import { followTheme } from './shell/theme.ts';
import './styles.css';

// The page allows no code that is made from text (Content-Security-Policy).
z.config({ jitless: true });
followTheme();

const page = document.getElementById('page');
if (page !== null) createRoot(page).render(<App />);
