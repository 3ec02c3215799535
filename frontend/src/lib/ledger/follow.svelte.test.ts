import { flushSync } from 'svelte'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { FeedItem } from '../feed/feed'
import { line } from '../live/line.svelte'
import { followBook } from './follow.svelte'

type Told = { ledgerBalance: { communityId: string; version: number; balance: string } }
type Entry = { ledgerEntries: { cursor: string; node: object } }

/** What the page was given to hear with. */
let tell: (balance: Told) => void
let next: (entry: Entry) => void
let after: () => string | null
const { follow, watch } = vi.hoisted(() => ({ follow: vi.fn(), watch: vi.fn() }))
vi.mock('../live/watch', () => ({ follow, watch }))
follow.mockImplementation((_, ear: { next: typeof next; after: typeof after }) => {
  ;({ next, after } = ear)
  return () => {}
})
watch.mockImplementation((_, __, hear: typeof tell) => {
  tell = hear
  return () => {}
})

let id = $state<string | undefined>('c')
let read = $state('10.00')
const heard = vi.fn<(item: FeedItem) => void>()
const changed = vi.fn()
let book: { readonly balance: string }
let stop = () => {}
const of = (version: number, balance: string, communityId = 'c') => {
  tell({ ledgerBalance: { communityId, version, balance } })
  flushSync()
}

beforeEach(() => {
  id = 'c'
  read = '10.00'
  line.state = 'live'
  stop = $effect.root(() => {
    book = followBook({ communityId: () => id, balance: () => read, heard, changed })
  })
  flushSync()
})

afterEach(() => {
  stop()
  vi.clearAllMocks()
})

it('shows what is in the account at once, and has the page read anew where it says something else', () => {
  expect(book.balance).toBe('10.00')
  of(4, '10.00')
  expect([book.balance, changed.mock.calls.length]).toEqual(['10.00', 0])
  of(5, '12.50')
  expect([book.balance, changed.mock.calls.length]).toEqual(['12.50', 1])
  read = '10.00'
  flushSync()
  expect(book.balance).toBe('12.50')
})

it('has the page read anew once for each state, however often it is said', () => {
  of(5, '12.50')
  of(5, '12.50')
  expect(changed).toHaveBeenCalledTimes(1)
})

it('makes news of each entry, and goes on behind it', () => {
  expect(after()).toBeNull()
  const node = { __typename: 'Entry', id: 'e', number: 5, recordedAt: '2026-11-27T10:00:00Z' }
  next({ ledgerEntries: { cursor: 'k', node } })
  expect(heard.mock.calls).toEqual([[{ cursor: 'k', at: node.recordedAt, kind: 'LEDGER_PUBLISHED', subject: node }]])
  expect([after(), changed.mock.calls.length]).toEqual(['k', 1])
})

it('believes the page that was read while the line is lost', () => {
  of(5, '12.50')
  line.state = 'lost'
  read = '13.00'
  flushSync()
  expect(book.balance).toBe('13.00')
})

it('follows nothing where the book is closed, and another book from its own state', () => {
  of(5, '12.50')
  id = 'other'
  read = '1.00'
  flushSync()
  expect(book.balance).toBe('1.00')
  follow.mockClear()
  watch.mockClear()
  id = undefined
  flushSync()
  expect([follow.mock.calls.length, watch.mock.calls.length]).toEqual([0, 0])
})
