import { untrack } from 'svelte'
import type { CommunityHead } from '../api/community'
import { follow } from '../live/watch'
import { type FeedItem, FeedSubscription } from './feed'

interface Follower {
  community: () => CommunityHead | null | undefined
  heard: (item: FeedItem) => void
  /** The cursor is of no use any more: read the page anew, its head brings a fresh one. */
  lost: () => void
}

/** Follows the journal of a community from the page's cursor on, item by item, through lost lines. */
export function followJournal({ community, heard, lost }: Follower) {
  const id = $derived(community()?.id)
  let newest: string | undefined
  let restarts = $state(0)

  $effect(() => {
    const communityId = id
    if (!communityId) return
    if (restarts === 0) newest = untrack(community)?.journal.edges[0]?.cursor
    return follow(FeedSubscription, {
      subject: { communityId },
      after: () => newest ?? null,
      next: ({ bulletin }) => {
        newest = bulletin.cursor
        heard(bulletin)
      },
      refused: ({ code }) => {
        if (code !== 'CURSOR_INVALID') return
        // From now on, live; what lies between is in the page that is read anew.
        newest = undefined
        restarts += 1
        lost()
      },
    })
  })
}

/** Many screens hear of the same change at once: each reads anew a little later, and once for many changes. */
export function soon(load: () => unknown, spread = 1_500) {
  let timer: ReturnType<typeof setTimeout> | undefined
  $effect(() => () => clearTimeout(timer))
  return () => {
    clearTimeout(timer)
    timer = setTimeout(load, 200 + Math.random() * spread)
  }
}
