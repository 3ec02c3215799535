import { flushSync } from 'svelte'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { session } from '../session/session.svelte'
import { compose } from './document'
import type { TadaDocumentNode } from './graphql'
import { Reading } from './reading.svelte'

const query = compose('query Asked { viewer { account } title }') as unknown as TadaDocumentNode<Asked, { turn: number }>
interface Asked {
  viewer: { account: string; communities: never[] } | null
  title: string
}

const ME = { account: 'spring/resident-1', communities: [] as never[] }
let answer: Asked
let stop = () => {}
let turn = 0

vi.stubGlobal('addEventListener', () => {})
vi.stubGlobal('removeEventListener', () => {})

async function read(options = {}): Promise<Reading<Asked, { turn: number }>> {
  let reading!: Reading<Asked, { turn: number }>
  stop = $effect.root(() => {
    // Each test reads another thing: what was kept of one is not shown by the next.
    const variables = { turn: ++turn }
    reading = new Reading(query, () => variables, options)
  })
  flushSync()
  await vi.waitFor(() => expect(reading.data).not.toBeNull())
  return reading
}

beforeEach(() => {
  answer = { viewer: null, title: 'first' }
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify({ data: answer }))))
})
afterEach(() => stop())

it('what arrives waits where somebody tells the reader of it', async () => {
  const reading = await read()
  reading.offer()
  answer = { ...answer, title: 'second' }
  await reading.refresh()
  expect([reading.data?.title, reading.newer?.data.title]).toEqual(['first', 'second'])
  reading.take()
  expect([reading.data?.title, reading.newer]).toEqual(['second', null])
})

it('is shown at once where nobody would ever tell', async () => {
  const reading = await read()
  answer = { ...answer, title: 'second' }
  await reading.refresh()
  expect([reading.data?.title, reading.newer]).toEqual(['second', null])
})

it('does not wait on when whoever told of it is gone, but while another one still does', async () => {
  const reading = await read()
  const [one, other] = [reading.offer(), reading.offer()]
  answer = { ...answer, title: 'second' }
  await reading.refresh()
  one()
  expect(reading.data?.title).toBe('first')
  other()
  expect(reading.data?.title).toBe('second')
})

it('what somebody asked for never waits', async () => {
  const reading = await read()
  reading.offer()
  answer = { ...answer, title: 'second' }
  await reading.load()
  expect(reading.data?.title).toBe('second')
})

it('says as whom it was read: just after a sign-in nothing is settled until it has been read anew', async () => {
  const reading = await read()
  expect([session.known, session.settled]).toEqual([true, true])
  session.hear(ME)
  expect(session.settled).toBe(false)
  answer = { viewer: ME, title: 'mine' }
  flushSync()
  await vi.waitFor(() => expect(reading.data?.title).toBe('mine'))
  expect(session.settled).toBe(true)
})

it('a page that waits under its offer is still the stranger’s', async () => {
  session.hear(null)
  const reading = await read()
  reading.offer()
  vi.spyOn(session, 'hear').mockImplementation(() => {})
  answer = { viewer: ME, title: 'mine' }
  await reading.refresh()
  vi.restoreAllMocks()
  session.hear(ME)
  expect([reading.data?.title, session.settled]).toEqual(['first', false])
  reading.take()
  expect(session.settled).toBe(true)
})
