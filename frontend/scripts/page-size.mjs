// Holds every first view to its budget: HTML, scripts, styles and words of one route, gzipped.
import { existsSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const BUDGET = 90_000
const dist = new URL('../dist/', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))

function filesOf(key, found = new Set()) {
  const chunk = manifest[key]
  if (!chunk || found.has(chunk.file)) return found
  found.add(chunk.file)
  for (const style of chunk.css ?? []) found.add(style)
  for (const next of chunk.imports ?? []) filesOf(next, found)
  return found
}

const weigh = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 6 }).length
/** What the router opens; what a page fetches later is no first view. */
const chunks = Object.values(manifest)
const first = filesOf('index.html')
const opened = new Set(chunks.filter(({ file }) => first.has(file)).flatMap(({ dynamicImports }) => dynamicImports ?? []))
const routes = [...opened].filter((key) => key.startsWith('src/routes/')).sort()
let tooLarge = !existsSync(new URL('index.html', dist)) || routes.length === 0

for (const route of routes) {
  const files = new Set(['index.html', ...filesOf('index.html'), ...filesOf('src/lib/words/zh.ts'), ...filesOf(route)])
  const size = [...files].reduce((sum, file) => sum + weigh(file), 0)
  tooLarge ||= size > BUDGET
  console.log(`${(size / 1000).toFixed(1).padStart(6)} kB gzip in ${String(files.size).padStart(2)} files  ${route}`)
}
if (tooLarge) {
  console.error(`A first view may weigh ${BUDGET / 1000} kB.`)
  process.exit(1)
}
