// Builds the page into `dist`, which core serves.
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where `vite` finds the core while the page is developed. */
const CORE = 'http://127.0.0.1:7700';

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: { target: 'es2023', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  server: { proxy: { '/v1': CORE, '/trpc': { target: CORE, ws: true } } },
});
