import { untrack } from 'svelte'
import type { CommunityHead } from '../api/community'
import type { TadaDocumentNode } from '../api/graphql'
import { follow } from '../live/watch'
import { type FeedItem, FeedSubscription } from './feed'

interface Ear<Item> {
  heard: (item: Item) => void
  /** The cursor is of no use any more: read the page anew, its head brings a fresh one. */
  lost: () => void
}

interface Follower<Result, Item> extends Ear<Item> {
  itemOf: (result: Result) => Item
  /** Nothing is followed as long as it is unknown. */
  communityId: () => string | undefined
  /** The cursor of the page, behind which it begins; without one, from now on. */
  begin?: () => string | undefined
}

/** Follows the bulletin of a community from the page's cursor on. */
export function followJournal({ community, ...ear }: Ear<FeedItem> & { community: () => CommunityHead | null | undefined }) {
  followItems(FeedSubscription, {
    itemOf: ({ bulletin }) => bulletin,
    communityId: () => community()?.id,
    begin: () => community()?.journal.edges[0]?.cursor,
    ...ear,
  })
}

/** Follows a journal of a community, item by item, through lost lines. */
export function followItems<Result, Item extends { cursor: string }>(
  document: TadaDocumentNode<Result, { communityId: string; after?: string | null }>,
  { itemOf, communityId: known, begin, heard, lost }: Follower<Result, Item>,
) {
  const id = $derived(known())
  let newest: string | undefined
  let restarts = $state(0)

  $effect(() => {
    const communityId = id
    if (!communityId) return
    if (restarts === 0) newest = begin && untrack(begin)
    return follow(document, {
      subject: { communityId },
      after: () => newest ?? null,
      next: (result) => {
        const item = itemOf(result)
        newest = item.cursor
        heard(item)
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
