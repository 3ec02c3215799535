import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { documents } from './documents.ts'
import { shell } from './shell.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const server = 'http://127.0.0.1:8000'

/** The explorer's fonts are `data:` addresses, which the content policy forbids; the system's fonts do. */
const withoutEmbeddedFonts: Plugin = {
  name: 'without-embedded-fonts',
  enforce: 'pre',
  transform: (code, id) => (/graphiql.*\.css$/.test(id) ? code.replace(/@font-face\s*\{[^}]*\}/g, '') : undefined),
}

/** What several routes draw with, in one file instead of thirty; sheets and words that not everybody opens stay apart. */
const shared = /\/src\/lib\/(?!words\/(zh|en|plain|cast.*|desk.*)\.ts|session\/SignInSheet|components\/(LedgerYears|LedgerMonth|Field|VoteCard|CompactTally|ResultLine|EventCard|NoticeCard|FeedLine|SquarePlan|RoundTable|TableTop|TurnoutByDay|ArticleLink|Tally(?:Axis|Bars|Counts|Lead|Shares))\.)|\/node_modules\/(svelte|sv-router|esm-env)\//

/** What hangs on boards, and in previews of it. */
const cards = /\/src\/lib\/components\/(VoteCard|CompactTally|ResultLine|EventCard)\./

export default defineConfig({
  plugins: [documents(here('./src'), here('../schema/schema.graphql')), svelte(), withoutEmbeddedFonts, shell(here('./src/shell/boot.js'), here('./src/shell/worker.ts'))],
  resolve: { alias: { $lib: here('./src/lib') }, ...(process.env['VITEST'] && { conditions: ['browser'] }) },
  build: {
    target: 'es2022',
    // Everything that is hashed lies in dist/assets: the server may call it immutable.
    assetsDir: 'assets',
    // Nothing as a data: address, so that the page lives under `img-src 'self'`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // Used by the explorer too, which needs nothing else of the page.
            { name: 'line', test: /node_modules\/graphql-ws\//, priority: 1 },
            { name: 'fetched', test: /vite\/preload-helper/, priority: 1 },
            { name: 'shared', test: shared },
            { name: 'cards', test: cards },
          ],
        },
      },
      input: { index: here('./index.html'), graphiql: here('./graphiql.html') },
      // The explorer's libraries mark files for a server that there is not here.
      onLog: (level, log, report) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && report(level, log),
    },
    // The explorer is large, the page is not: scripts/page-size.mjs holds it to its budget.
    manifest: true,
    chunkSizeWarningLimit: 2_000,
  },
  server: {
    host: '127.0.0.1',
    port: 5173,
    proxy: {
      '/graphql': { target: server, ws: true },
      '/session': server,
    },
  },
  test: {
    include: ['src/**/*.test.ts'],
    // The browser's Svelte, whose effects run, in Node.
    environment: './scripts/without-a-page.mjs',
    // One copy of graphql for the schema and the socket that serves it in a test, which is a server's.
    alias: { graphql: here('./node_modules/graphql/index.js'), ws: here('./node_modules/ws/wrapper.mjs') },
    server: { deps: { inline: ['graphql-ws'] } },
  },
})
