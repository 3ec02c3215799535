import { beforeEach, expect, it, vi } from 'vitest'
import { compose } from './document'
import type { TadaDocumentNode } from './graphql'
import { mutate, request, told } from './request'

type Named = TadaDocumentNode<{ name: string }, Record<string, unknown>>

const ID = `sha256:${'1'.repeat(64)}`
const named = (id?: string) => compose('query Named($id:ID){name}', [], id) as unknown as Named

let sent: { path: string; how: RequestInit }[] = []
let answers: { status: number; body: object }[] = []

const refused = (code: string, status: number) => ({ status, body: { errors: [{ message: '', extensions: { code, zh: '一', en: 'one' } }] } })

beforeEach(() => {
  sent = []
  answers = []
  vi.stubGlobal('fetch', (path: string, how: RequestInit) => {
    sent.push({ path, how })
    const { status, body } = answers.shift() ?? { status: 200, body: { data: { name: 'Meilin' } } }
    return Promise.resolve(new Response(JSON.stringify(body), { status }))
  })
})

const ways = () => sent.map(({ path, how }) => `${how.method} ${path.split('&')[0]}`)

it('a query that may stand in an address does, with its variables in the shortest form', async () => {
  const variables = { id: 'a+b/c=', after: null, first: 3 }
  expect((await request(named(ID), variables)).data).toEqual({ name: 'Meilin' })
  const [{ path, how } = sent[0]!] = sent
  expect(path).toBe(`/graphql?documentId=${ID}&variables=${encodeURIComponent('{"id":"a+b/c=","after":null,"first":3}')}`)
  expect(JSON.parse(new URL(path, 'http://m').searchParams.get('variables')!)).toEqual(variables)
  expect([how.method, how.body, how.credentials]).toEqual(['GET', undefined, 'same-origin'])
  expect(new Headers(how.headers).get('accept')).toContain('application/graphql-response+json')
  await request(named(ID), {}, 'omit')
  expect([sent[1]!.path, sent[1]!.how.credentials]).toEqual([`/graphql?documentId=${ID}`, 'omit'])
})

it('a document without an id goes as a body, and so do variables that are too long for an address', async () => {
  await request(named(), { id: '1' })
  await request(named(ID), { id: 'x'.repeat(1_875) })
  await request(named(ID), { id: 'x'.repeat(1_876) })
  expect(ways()).toEqual(['POST /graphql', `GET /graphql?documentId=${ID}`, 'POST /graphql'])
  expect(sent[1]!.path.length).toBe(2_000)
  expect(JSON.parse(String(sent[0]!.how.body))).toEqual({ query: 'query Named($id:ID){name}', variables: { id: '1' } })
})

it('what a server of another release does not know is sent as a text, and from then on at once', async () => {
  const old = ID.replaceAll('1', '2')
  answers = [refused('DOCUMENT_UNKNOWN', 404)]
  expect((await request(named(old), { id: '1' })).data).toEqual({ name: 'Meilin' })
  await request(named(old), { id: '2' })
  await request(named(ID), { id: '2' })
  expect(ways()).toEqual([`GET /graphql?documentId=${old}`, 'POST /graphql', 'POST /graphql', `GET /graphql?documentId=${ID}`])
})

it('other refusals are those of any request, and are not asked again', async () => {
  const heard = vi.spyOn(told, 'unauthenticated')
  answers = [refused('UNAUTHENTICATED', 401), refused('TRY_AGAIN', 503), { status: 502, body: [] }]
  for (const code of ['UNAUTHENTICATED', 'TRY_AGAIN', 'UNREACHABLE']) await expect(request(named(ID), {})).rejects.toMatchObject({ code })
  expect(ways()).toEqual(Array(3).fill(`GET /graphql?documentId=${ID}`))
  expect(heard).toHaveBeenCalledTimes(1)
})

it('a deed is a body', async () => {
  await mutate(compose('mutation Do{name}') as unknown as Named, {})
  expect(ways()).toEqual(['POST /graphql'])
})
