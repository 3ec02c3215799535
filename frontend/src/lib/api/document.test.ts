import { readdirSync, readFileSync } from 'node:fs'
import { buildSchema, type OperationDefinitionNode, parse, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import { documentsIn, idOf, mayStandInAddress } from '../../../documents.ts'
import { compose, nameOf, textOf } from './document'

const schema = buildSchema(readFileSync('../schema/schema.graphql', 'utf8'))
const { all, texts } = documentsIn('src', schema)
const operations = [...all].filter(([, document]) => !textOf(document).startsWith('fragment '))

it('a document is its own text and each fragment once', () => {
  const inner = compose('fragment Inner on B{c}')
  const outer = compose('fragment Outer on A{b{...Inner}}', [inner])
  const whole = compose('query Whole($id:ID!){a(id:$id){...Outer ...Inner}}', [outer, inner], 'sha256:1')
  expect(textOf(whole)).toBe('query Whole($id:ID!){a(id:$id){...Outer ...Inner}}fragment Outer on A{b{...Inner}}fragment Inner on B{c}')
  expect([nameOf(whole), nameOf(inner), whole.id]).toEqual(['Whole', 'Inner', 'sha256:1'])
})

describe('what the build gathers', () => {
  it('is every document of the page, and nothing that nobody sends', () => {
    expect(operations.length).toBeGreaterThan(20)
    expect(Object.keys(texts).length).toBe(operations.length)
    for (const [, document] of operations) expect(texts[idOf(textOf(document))]).toBe(textOf(document))
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(svelte|ts)$/.test(file) && !file.endsWith('.test.ts'))
      .map((file) => readFileSync(`src/${file}`, 'utf8'))
    const sent = sources.flatMap((text) => [...text.matchAll(/\b(?:request|mutate|watch|follow|followItems|new Reading)\(\s*(\w+(?:Query|Mutation|Subscription))\b/g)].map(([, name]) => name))
    expect([...new Set(sent)].sort()).toEqual(operations.map(([name]) => name).sort())
  })

  it('is right by the schema', () => {
    for (const text of Object.values(texts)) expect(validate(schema, parse(text))).toEqual([])
  })

  it('asks for every query by GET, and for nothing else', () => {
    const kindOf = (text: string) => (parse(text).definitions[0] as OperationDefinitionNode).operation
    for (const [, document] of operations)
      expect(document.id).toBe(kindOf(textOf(document)) === 'query' ? idOf(textOf(document)) : undefined)
  })
})

describe('an address has', () => {
  const world = buildSchema(`
    enum Kind { A }
    input Filter { slug: String, slugs: [String], kind: Kind, id: ID }
    scalar Date
    type Thing { found(after: String, first: Int, words: String): Int }
    type Query { find(id: ID, ids: [ID!], slug: String, slugs: [String], words: String, before: Filter, day: Date, kinds: [Kind!], share: Float, filter: Filter): Thing }
    type Mutation { end(id: ID!): Int }
    type Subscription { seen(id: ID!): Int }
  `)
  const may = (text: string) => mayStandInAddress(text, world)

  it.each([
    'query { find { found } }',
    'query ($id: ID!, $ids: [ID!]) { find(id: $id, ids: $ids) { found } }',
    'query ($slug: String!, $after: String, $first: Int) { find(slug: $slug) { found(after: $after, first: $first) } }',
    'query ($kinds: [Kind!], $share: Float, $all: Boolean!) { find(kinds: $kinds, share: $share) { found @include(if: $all) } }',
    'query ($kind: Kind, $id: ID) { find(filter: { kind: $kind, id: $id }, ids: [$id]) { found } }',
  ])('ids, cursors, numbers and enums: %s', (text) => expect(may(text)).toBe(true))

  it.each([
    'query ($words: String) { find(words: $words) { found } }',
    'query ($slug: String) { find(words: $slug) { found } }',
    'query ($slug: String) { find(slug: $slug, words: $slug) { found } }',
    'query ($after: String) { find { ...Deep } } fragment Deep on Thing { found(words: $after) }',
    'query ($slug: String) { find(filter: { slug: $slug }) { found } }',
    'query ($filter: Filter) { find(filter: $filter) { found } }',
    'query ($slug: String) { find(before: { slug: $slug }) { found } }',
    'query ($words: String) { find(slugs: [$words]) { found } }',
    'query ($words: String) { find(before: { slugs: [$words] }) { found } }',
    'query ($day: Date) { find(day: $day) { found } }',
  ])('nothing that somebody wrote: %s', (text) => expect(may(text)).toBe(false))

  it.each(['mutation ($id: ID!) { end(id: $id) }', 'subscription ($id: ID!) { seen(id: $id) }'])('no deeds: %s', (text) => expect(may(text)).toBe(false))
})
