import { flushSync } from 'svelte'
import { afterEach, expect, it, vi } from 'vitest'
import type { CommunityHead } from '../api/community'
import type { FeedItem } from './feed'
import { followJournal } from './follow.svelte'

/** What the last `follow` was given. */
let followed: {
  subject: { communityId: string }
  after: () => string | null
  next: (result: { bulletin: FeedItem }) => void
  refused: (refusal: { code: string }) => void
}
const left = vi.fn()
const follow = vi.hoisted(() => vi.fn())
vi.mock('../live/watch', () => ({ follow }))
follow.mockImplementation((_, given: typeof followed) => {
  followed = given
  return left
})

const community = (cursor: string, id = 'c') => ({ id, journal: { edges: [{ cursor }] } }) as unknown as CommunityHead
const item = (cursor: string) => ({ cursor }) as FeedItem

let read = $state.raw<CommunityHead | null>(null)
const heard = vi.fn()
const lost = vi.fn()
let stop = () => {}

function begin(at: CommunityHead) {
  read = at
  stop = $effect.root(() => followJournal({ community: () => read, heard, lost }))
  flushSync()
}

afterEach(() => {
  stop()
  vi.clearAllMocks()
})

it('begins at the head of the page that was read', () => {
  begin(community('a'))
  expect([followed.subject.communityId, followed.after()]).toEqual(['c', 'a'])
})

it('resumes from the newest item that it heard, whatever page is read meanwhile', () => {
  begin(community('a'))
  followed.next({ bulletin: item('b') })
  expect(followed.after()).toBe('b')
  read = community('a')
  flushSync()
  expect(followed.after()).toBe('b')
  expect(follow).toHaveBeenCalledTimes(1)
  expect(heard.mock.calls).toEqual([[item('b')]])
})

it('goes on without a cursor, and has the page read anew, where its cursor is of no use', () => {
  begin(community('a'))
  followed.refused({ code: 'CURSOR_INVALID' })
  flushSync()
  expect(followed.after()).toBeNull()
  expect([follow.mock.calls.length, left.mock.calls.length, lost.mock.calls.length]).toEqual([2, 1, 1])
  followed.next({ bulletin: item('d') })
  expect(followed.after()).toBe('d')
})

it('stands still where it may not read any more', () => {
  begin(community('a'))
  followed.refused({ code: 'FORBIDDEN' })
  flushSync()
  expect([follow.mock.calls.length, lost.mock.calls.length]).toEqual([1, 0])
})

it('follows another community from its own head', () => {
  begin(community('a'))
  followed.next({ bulletin: item('b') })
  read = community('x', 'other')
  flushSync()
  expect([followed.subject.communityId, followed.after()]).toEqual(['other', 'x'])
  expect(left).toHaveBeenCalledTimes(1)
})
