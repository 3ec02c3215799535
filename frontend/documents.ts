/**
 * The documents of the page, gathered when it is built: dist/documents.json has all of them by id, for the server; a
 * query whose variables may stand in an address knows its own id. What is sent is the source text without what means
 * nothing, and ids are those of the GraphQL over HTTP specification, appendix A.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSchema, getNamedType, type GraphQLSchema, isEnumType, Kind, parse, stripIgnoredCharacters, TypeInfo, visit, visitWithTypeInfo } from 'graphql'
import type { Plugin } from 'vite'
import { compose, textOf, type Written } from './src/lib/api/document.ts'

/** `const Name = graphql(`text`, [Fragment, …])` */
const CALL = /\bconst (\w+) = graphql\(\s*`([^`]*)`(?:,\s*\[([^\]]*)\])?[,\s]*\)/g

/** Types of which a value says nothing about anybody. */
const FREE = new Set(['ID', 'Int', 'Float', 'Boolean'])
/** Arguments of type String that people do not write: they stand in the page's own addresses, or are cursors. */
const KNOWN = new Set(['slug', 'month', 'before', 'after'])

export interface Documents {
  /** By the name of the constant; fragments, too. */
  all: Map<string, Written>
  /** By id; operations alone. */
  texts: Record<string, string>
}

/** Whether it is a query, and nothing that somebody typed or that identifies a person can be in its variables. */
export function mayStandInAddress(text: string, schema: GraphQLSchema): boolean {
  const types = new TypeInfo(schema)
  let may = true
  visit(
    parse(text),
    visitWithTypeInfo(types, {
      OperationDefinition({ operation }) {
        may &&= operation === 'query'
      },
      VariableDefinition: () => false,
      Variable(_node, _key, parent) {
        const type = getNamedType(types.getInputType())
        const known = !!parent && 'kind' in parent && parent.kind === Kind.ARGUMENT && KNOWN.has(types.getArgument()?.name ?? '')
        may &&= !!type && (isEnumType(type) || FREE.has(type.name) || (type.name === 'String' && known))
      },
    }),
  )
  return may
}

export const idOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`

/** Of every component and module below `folder`. Throws where a document is written in another way than all others. */
export function documentsIn(folder: string, schema: GraphQLSchema): Documents {
  const calls = new Map<string, { text: string; fragments: string[] }>()
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!/\.(svelte|ts)$/.test(file) || file.endsWith('.test.ts')) continue
    const source = readFileSync(join(folder, file), 'utf8')
    const found = [...source.matchAll(CALL)]
    if (found.length !== (source.match(/\bgraphql\(/g) ?? []).length) throw new Error(`${file}: write const Name = graphql(\`…\`, […])`)
    for (const [, name = '', text = '', fragments = ''] of found) {
      if (calls.has(name)) throw new Error(`${file}: there are two documents ${name}`)
      calls.set(name, { text: stripIgnoredCharacters(text), fragments: fragments.match(/\w+/g) ?? [] })
    }
  }

  const all = new Map<string, Written>()
  const texts: Record<string, string> = {}
  const of = (name: string): Written => {
    const known = all.get(name)
    if (known) return known
    const call = calls.get(name)
    if (!call) throw new Error(`there is no document ${name}`)
    const composed = compose(call.text, call.fragments.map(of))
    const text = textOf(composed)
    const operation = !call.text.startsWith('fragment ')
    if (operation) texts[idOf(text)] = text
    const made = { ...composed, id: operation && mayStandInAddress(text, schema) ? idOf(text) : undefined }
    all.set(name, made)
    return made
  }
  ;[...calls.keys()].sort().forEach(of)
  return { all, texts }
}

export function documents(folder: string, schema: string): Plugin {
  let made: Documents
  return {
    name: 'documents',
    apply: 'build',
    enforce: 'pre',
    buildStart() {
      made = documentsIn(folder, buildSchema(readFileSync(schema, 'utf8')))
    },
    transform(code, id) {
      if (!id.startsWith(folder) || !code.includes('graphql(')) return
      return code.replace(CALL, (_, name: string, _text, fragments = '') => {
        const { texts, id } = made.all.get(name)!
        return `const ${name} = graphql(${JSON.stringify(texts[0])}, [${fragments}], ${JSON.stringify(id)})`
      })
    },
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'documents.json', source: `${JSON.stringify(made.texts, null, 1)}\n` })
    },
  }
}
