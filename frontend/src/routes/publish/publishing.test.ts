import { beforeEach, expect, it, vi } from 'vitest'
import type * as Errors from '$lib/api/errors'
import { session } from '$lib/session/session.svelte'

/** The store of the browser, which outlives a page and is the same in every window. */
const stored = new Map<string, string>()
let full = false
const listeners: ((event: { key: string | null; newValue: string | null }) => void)[] = []

vi.stubGlobal('localStorage', {
  getItem: (name: string) => stored.get(name) ?? null,
  setItem: (name: string, text: string) => {
    if (full) throw new DOMException('full', 'QuotaExceededError')
    stored.set(name, text)
  },
  removeItem: (name: string) => stored.delete(name),
})
// A sign-out asks the store for its names, which are its own keys in a browser.
const names = { ownKeys: () => [...stored.keys()], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) }
vi.stubGlobal('localStorage', new Proxy(globalThis.localStorage, names))
vi.stubGlobal('addEventListener', (_: string, listener: (typeof listeners)[number]) => listeners.push(listener))

const EMPTY = { title: '', body: '' }
type Draft = typeof EMPTY

/** Of the page that was opened last. */
let Refusal: typeof Errors.Refusal

/** A page of its own, as after a reload or in another window. */
async function page() {
  vi.resetModules()
  const { publishing } = await import('./publishing.svelte')
  ;({ Refusal } = await import('$lib/api/errors'))
  const { kept } = await import('$lib/kept.svelte')
  const { session: who } = await import('$lib/session/session.svelte')
  who.hear(session.viewer)
  return {
    begin: (form = 'notice 1') => publishing<Draft>(form, EMPTY),
    leave: () => {
      kept.forgetAll()
      who.hear(null)
    },
    be: (account: string) => who.hear({ account, communities: [] }),
  }
}

const be = (account: string) => session.hear({ account, communities: [] })
const write = (form: { draft: Draft; keep: () => void }, draft: Partial<Draft>) => {
  Object.assign(form.draft, draft)
  form.keep()
}
const lost = (keys: string[]) => (key: string) => {
  keys.push(key)
  return Promise.reject(new Refusal('UNREACHABLE'))
}

beforeEach(() => {
  stored.clear()
  listeners.length = 0
  full = false
  be('spring/committee')
})

it('finds what was typed after a reload, and says when it was kept', async () => {
  write((await page()).begin(), { title: '停水', body: '周日\n早上' })
  const again = (await page()).begin()
  expect({ ...again.draft }).toEqual({ title: '停水', body: '周日\n早上' })
  expect(again.keptAt).toBeGreaterThan(Date.now() - 60_000)
})

it('keeps each form apart', async () => {
  const { begin } = await page()
  write(begin('notice 1'), { title: '停水' })
  expect(begin('event 1').draft.title).toBe('')
  expect(begin('notice 2').draft.title).toBe('')
})

it('shows a draft to nobody else on the same device, and to the same person again', async () => {
  const first = await page()
  write(first.begin(), { title: '停水' })
  for (const other of ['spring/manager', 'autumn/committee', 'spring/committee-1', 'spring']) {
    first.be(other)
    expect(first.begin().draft.title).toBe('')
    write(first.begin(), { title: '别人的' })
  }
  first.be('spring/committee')
  expect(first.begin().draft.title).toBe('停水')
  expect((await page()).begin().draft.title).toBe('停水')
})

it('is gone after signing out on purpose: from the device, from the window, for the same person, too', async () => {
  const window = await page()
  const form = window.begin()
  write(form, { title: '停水' })
  form.throwAway()
  write(form, { title: '停电' })
  window.leave()
  expect([...stored.keys()]).toEqual([])
  window.be('spring/committee')
  const again = window.begin()
  expect(again).not.toBe(form)
  expect([again.draft.title, again.keptAt, again.thrown]).toEqual(['', null, false])
})

it.each(['answered', 'lost', 'typed on'])('nothing of it comes back when what was on its way is %s after that', async (how) => {
  const window = await page()
  const form = window.begin()
  write(form, { title: '停水' })
  let end = (_: unknown) => {}
  const sent = form.send(() => new Promise((resolve, reject) => (end = how === 'lost' ? reject : resolve)))
  window.leave()
  if (how === 'typed on') write(form, { title: '停水了' })
  end(new Refusal('UNREACHABLE'))
  await sent
  expect([...stored.keys()]).toEqual([])
})

it('begins anew once it is sent, here and after a reload', async () => {
  const form = (await page()).begin()
  write(form, { title: '停水' })
  expect(await form.send(() => Promise.resolve('done'))).toBe('done')
  expect(form.draft.title).toBe('')
  expect(stored.size).toBe(0)
  expect((await page()).begin().draft.title).toBe('')
})

it('sends one draft under one key, whatever gets lost between', async () => {
  const keys: string[] = []
  const form = (await page()).begin()
  write(form, { title: '停水' })
  await form.send(lost(keys))
  await form.send(lost(keys))
  const reloaded = (await page()).begin()
  expect(reloaded.sent).toBe(true)
  await reloaded.send(lost(keys))
  write(reloaded, { title: '停水了' })
  await (await page()).begin().send(lost(keys))
  expect(new Set(keys).size).toBe(1)
  expect(keys).toHaveLength(4)
})

it('knows that it was sent even when the page is closed before the answer', async () => {
  const form = (await page()).begin()
  write(form, { title: '停水' })
  void form.send(() => new Promise(() => {}))
  expect((await page()).begin().sent).toBe(true)
})

it('another draft has another key', async () => {
  const keys: string[] = []
  const form = (await page()).begin()
  const send = () =>
    form.send((key) => {
      keys.push(key)
      return Promise.resolve(true)
    })
  write(form, { title: '停水' })
  await send()
  write(form, { title: '停电' })
  await send()
  write(form, { title: '停气' })
  form.throwAway()
  write(form, { title: '停气' })
  await send()
  expect(new Set(keys).size).toBe(3)
})

it('an earlier attempt that did arrive is told, and only the one who asks for it publishes another', async () => {
  const keys: string[] = []
  const form = (await page()).begin()
  write(form, { title: '停水' })
  await form.send(lost(keys))
  write(form, { title: '停水了' })
  await form.send((key) => {
    keys.push(key)
    return Promise.reject(new Refusal('KEY_REUSED', {}, 'key'))
  })
  expect(form.outAlready).toBe(true)
  await form.send(lost(keys))
  expect(new Set(keys).size).toBe(1)
  form.anew()
  await form.send(lost(keys))
  expect(new Set(keys).size).toBe(2)
})

it('what was lost before stays uncertain when a later attempt is refused', async () => {
  const form = (await page()).begin()
  write(form, { title: '停水' })
  await form.send(lost([]))
  await form.send(() => Promise.reject(new Refusal('TRY_AGAIN')))
  expect(form.sent).toBe(true)
})

it('a plain refusal leaves nothing uncertain', async () => {
  const form = (await page()).begin()
  write(form, { title: '停水' })
  await form.send(() => Promise.reject(new Refusal('TRY_AGAIN')))
  expect(form.sent).toBe(false)
  expect(form.draft.title).toBe('停水')
})

it('is sent once however often it is tapped', async () => {
  const form = (await page()).begin()
  write(form, { title: '停水' })
  const deed = vi.fn(() => new Promise((resolve) => setTimeout(resolve, 10)))
  await Promise.all([form.send(deed), form.send(deed), form.send(deed)])
  expect(deed).toHaveBeenCalledTimes(1)
})

it('points at the field that the server refused, until it says something else', async () => {
  const places = { 'notice.title': 'title', 'notice.body': 'body' }
  const form = (await page()).begin()
  write(form, { title: '停\u200b水', body: '周日' })
  form.step = 'look'
  await form.send(() => Promise.reject(new Refusal('INVALID_INPUT', {}, 'notice.title')))
  expect(form.refusedAt(places)).toBe('title')
  expect(form.step).toBe('write')
  form.draft.body = '周一'
  expect(form.refusedAt(places)).toBe('title')
  form.draft.title = '停水'
  expect(form.refusedAt(places)).toBeNull()
  expect(form.faultyField(places)).toBe('title')
  await form.send(() => Promise.reject(new Refusal('INVALID_INPUT', {}, 'communityId')))
  expect(form.refusedAt(places)).toBeNull()
})

it('is thrown away for good, unless it is taken back', async () => {
  const form = (await page()).begin()
  write(form, { title: '停水' })
  form.throwAway()
  expect(form.draft.title).toBe('')
  expect((await page()).begin().draft.title).toBe('')
  expect(form.thrown).toBe(true)
  form.takeBack()
  expect(form.draft.title).toBe('停水')
  expect((await page()).begin().draft.title).toBe('停水')
})

it('emptied by hand it leaves nothing behind', async () => {
  const form = (await page()).begin()
  write(form, { title: '停水' })
  write(form, { title: '' })
  expect(form.keptAt).toBeNull()
  expect(stored.size).toBe(0)
})

it('is one draft in two windows', async () => {
  const form = (await page()).begin()
  write(form, { title: '停水' })
  const [key] = [...stored.keys()]
  const other = (await page()).begin()
  const hear = listeners.at(-1)!
  write(form, { title: '停水了' })
  hear({ key: key!, newValue: stored.get(key!)! })
  expect(other.draft.title).toBe('停水了')
  hear({ key: key!, newValue: null })
  expect(other.draft.title).toBe('')
  expect(other.goneElsewhere).toBe(true)
})

it('says so where the browser keeps nothing, and keeps on', async () => {
  full = true
  const form = (await page()).begin()
  write(form, { title: '停水' })
  expect(form.unkept).toBe(true)
  expect(form.keptAt).toBeNull()
  full = false
  write(form, { title: '停水了' })
  expect(form.unkept).toBe(false)
})

it.each(['', 'x', 'null', '[]', '{}', '{"draft":null,"key":"k","at":1}', '{"draft":{"title":7},"key":"k","at":1}'])(
  'is not confused by what else is kept: %s',
  async (text) => {
    write((await page()).begin(), { title: '停水' })
    const [name] = [...stored.keys()]
    stored.set(name!, text)
    expect({ ...(await page()).begin().draft }).toEqual(EMPTY)
  },
)
