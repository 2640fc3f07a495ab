// Builds the page into `dist`, which core serves.
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { brotliCompressSync, constants } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** Where `vite` finds the core while the page is developed. */
const CORE = 'http://127.0.0.1:7700';

/** Writes each script and style a second time, compressed: core sends that to browsers which take it. */
const compressed: Plugin = {
  name: 'compressed',
  apply: 'build',
  generateBundle: {
    order: 'post',
    handler(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (!/\.(?:js|css)$/.test(file.fileName)) continue;
        const content = file.type === 'chunk' ? file.code : file.source;
        const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        this.emitFile({
          type: 'asset',
          fileName: `${file.fileName}.br`,
          source: brotliCompressSync(content, { params }),
        });
      }
    },
  },
};

export default defineConfig({
  plugins: [react(), tailwindcss(), compressed],
  build: { target: 'es2023', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  server: { proxy: { '/v1': CORE, '/trpc': { target: CORE, ws: true } } },
});
