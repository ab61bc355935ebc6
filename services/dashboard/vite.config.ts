/*
 * Builds the dashboard into dist/. The pages run under a strict content security policy (only files of their own
 * origin), so nothing is inlined: no script or style in the HTML, no data: addresses.
 */
import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  resolve: { conditions: [...defaultClientConditions, 'imscope-source'] },
  build: {
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    chunkSizeWarningLimit: 600, // kB before compression; React alone is about 190
  },
});
