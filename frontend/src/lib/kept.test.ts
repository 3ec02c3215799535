import { beforeEach, expect, it, vi } from 'vitest'
import { forgetKey, kept, revived, sendingKey } from './kept.svelte'

class FakeStorage {
  getItem(key: string): string | null {
    return (this as unknown as Record<string, string>)[key] ?? null
  }
  setItem(key: string, value: string) {
    ;(this as unknown as Record<string, string>)[key] = value
  }
  removeItem(key: string) {
    delete (this as unknown as Record<string, string>)[key]
  }
}

beforeEach(() => {
  vi.stubGlobal('sessionStorage', new FakeStorage())
  vi.stubGlobal('localStorage', new FakeStorage())
  kept.forgetAll()
  kept.belongsTo('spring/resident-1')
})

it.each(['tab', 'device'] as const)('what was typed is found again by whoever typed it (%s)', (where) => {
  kept.write('notice', { title: '停水' }, where)
  expect(kept.read('notice', where)).toEqual({ title: '停水' })
  kept.belongsTo(null) // the session ended by itself
  expect(kept.read('notice', where)).toBeNull()
  kept.belongsTo('spring/resident-2')
  expect(kept.read('notice', where)).toBeNull()
  kept.belongsTo('spring/resident-1')
  expect(kept.read('notice', where)).toEqual({ title: '停水' })
})

it('signing out forgets everything of everybody, and nothing else', () => {
  localStorage.setItem('meilin.language', 'en')
  kept.write('notice', 1, 'device')
  kept.write('ballot', 2)
  kept.belongsTo('spring/resident-2')
  kept.write('ballot', 3)
  kept.forgetAll()
  expect(Object.keys(sessionStorage)).toEqual([])
  expect(Object.keys(localStorage)).toEqual(['meilin.language'])
})

it('whatever part of the page stored it, under whatever name, in either store', () => {
  const forgotten = vi.fn()
  kept.alsoForget(forgotten)
  for (const store of [localStorage, sessionStorage]) {
    store.setItem('meilin.draft spring/committee notice 1', '{}')
    store.setItem('meilin.explorer.token', 'secret')
    store.setItem('meilin.of a later release', '1')
    store.setItem('meilin.elder', '1')
    store.setItem('somebody else', '1')
  }
  kept.forgetAll()
  for (const store of [localStorage, sessionStorage]) expect(Object.keys(store)).toEqual(['meilin.elder', 'somebody else'])
  expect(forgotten).toHaveBeenCalledTimes(1)
})

it('signing out works where nothing may be stored', () => {
  const denied = () => {
    throw new DOMException('denied', 'SecurityError')
  }
  vi.stubGlobal('localStorage', new Proxy({}, { get: denied, ownKeys: denied }))
  vi.stubGlobal('sessionStorage', undefined)
  kept.write('ballot', ['FOR'])
  kept.forgetAll()
  expect(kept.read('ballot')).toBeNull()
})

it('a browser that keeps nothing still keeps it until the page is left', () => {
  vi.stubGlobal('sessionStorage', undefined)
  kept.write('ballot', ['FOR'])
  expect(kept.read('ballot')).toEqual(['FOR'])
  kept.forget('ballot')
  expect(kept.read('ballot')).toBeNull()
})

it('what cannot be read is as good as nothing', () => {
  sessionStorage.setItem('meilin.kept spring/resident-1 notice', '{"title":')
  expect(kept.read('notice')).toBeNull()
})

it('a draft of an older release fills the fields that are still there', () => {
  const empty = { title: '', size: 1, potluck: false }
  expect(revived(empty, { title: '美邻节', size: '4', gone: true })).toEqual({ ...empty, title: '美邻节' })
  expect(revived(empty, null)).toEqual(empty)
  expect(revived(empty, 'text')).toEqual(empty)
})

it('the key stays while the content does', () => {
  const first = sendingKey('sign-up 1', { partySize: 2 })
  expect(first).toMatch(/^[0-9a-f]{32}$/)
  expect(sendingKey('sign-up 1', { partySize: 2 })).toBe(first)
  const other = sendingKey('sign-up 1', { partySize: 3 })
  expect(other).not.toBe(first)
  expect(sendingKey('sign-up 2', { partySize: 3 })).not.toBe(other)
  forgetKey('sign-up 1')
  expect(sendingKey('sign-up 1', { partySize: 3 })).not.toBe(other)
})
