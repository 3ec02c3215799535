import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const server = 'http://127.0.0.1:8000'

export default defineConfig({
  plugins: [svelte()],
  resolve: { alias: { $lib: here('./src/lib') } },
  build: {
    target: 'es2022',
    // Everything that is hashed lies in dist/assets: the server may call it immutable.
    assetsDir: 'assets',
    // Nothing as a data: address, so that the page lives under `img-src 'self'`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { index: here('./index.html'), graphiql: here('./graphiql.html') } },
  },
  server: {
    host: '127.0.0.1',
    port: 5173,
    proxy: {
      '/graphql': { target: server, ws: true },
      '/session': server,
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
})
