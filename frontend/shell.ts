/** The build's last step: what the page needs before and behind itself. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin, Rolldown } from 'vite'

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12)

/** All that the page may come to need, without the explorer: what it imports, now or later, with its styles. */
function filesOf(bundle: Rolldown.OutputBundle): string[] {
  const chunks = Object.values(bundle).filter((one) => one.type === 'chunk')
  const found = new Set<string>()
  const visit = (name: string) => {
    const chunk = chunks.find(({ fileName }) => fileName === name)
    if (!chunk || found.has(name)) return
    found.add(name)
    chunk.viteMetadata?.importedCss.forEach((style) => found.add(style))
    ;[...chunk.imports, ...chunk.dynamicImports].forEach(visit)
  }
  chunks.filter(({ isEntry, name }) => isEntry && name === 'index').forEach(({ fileName }) => visit(fileName))
  return [...found].sort()
}

export function shell(boot: string, worker: string): Plugin {
  return {
    name: 'shell',
    apply: 'build',
    buildStart() {
      // As it stands: what old browsers read must not be put into newer words.
      this.emitFile({ type: 'asset', name: 'boot.js', source: readFileSync(boot, 'utf8') })
      this.emitFile({ type: 'chunk', id: worker, fileName: 'sw.js' })
    },
    writeBundle({ dir = 'dist' }, bundle) {
      const names = Object.keys(bundle)
      const bootName = names.find((name) => /^assets\/boot-.*\.js$/.test(name))
      const bootTag = `<script defer src="/${bootName}"></script>`
      const change = (name: string, text: (before: string) => string) =>
        writeFileSync(join(dir, name), text(readFileSync(join(dir, name), 'utf8')))

      const seal = names.filter((name) => /^assets\/seal-.*\.svg$/.test(name))
      const files = [bootName!, ...seal, ...filesOf(bundle)].map((name) => `/${name}`)
      // Deferred scripts run in their order: it stands before the page's own, so that it hears when that one fails.
      for (const name of ['index.html', 'graphiql.html'])
        change(name, (html) => html.replace('<!--boot-->', '').replace(/<script type="module"/, `${bootTag}\n    $&`))
      const release = hash(readFileSync(join(dir, 'index.html'), 'utf8') + files.join() + readFileSync(join(dir, 'sw.js'), 'utf8'))
      change('index.html', (html) => html.replace('<!--release-->', `<meta name="release" content="${release}" />`))
      change('sw.js', (code) => code.replace('__RELEASE__', release).replace('__FILES__', JSON.stringify(files)))
      writeFileSync(join(dir, 'release.json'), `${JSON.stringify({ release })}\n`)
    },
  }
}
