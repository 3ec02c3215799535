import { graphql, type ResultOf } from '../api/graphql'

export const FeedItemFragment = graphql(`
  fragment FeedItem on BulletinItem {
    cursor
    at
    kind
    subject {
      __typename
      id
      ... on Vote {
        number
        title
      }
      ... on Event {
        number
        title
      }
      ... on Notice {
        number
        title
        status
      }
      ... on Entry {
        number
        item
        direction
        amount
        date
      }
    }
  }
`)

export type FeedItem = ResultOf<typeof FeedItemFragment>

export const FeedSubscription = graphql(
  `
    subscription Bulletin($communityId: ID!, $after: String) {
      bulletin(communityId: $communityId, after: $after) {
        ...FeedItem
      }
    }
  `,
  [FeedItemFragment],
)

/**
 * The journal as it is held, newest first. The line hands items over oldest first and may repeat some after
 * it was cut; pages hand them over newest first. An item is known by its cursor, and none is shown twice.
 */
export function withNewer<Item extends { cursor: string }>(held: readonly Item[], item: Item): Item[] {
  return held.some((one) => one.cursor === item.cursor) ? [...held] : [item, ...held]
}

export function withOlder<Item extends { cursor: string }>(held: readonly Item[], older: readonly Item[]): Item[] {
  const known = new Set(held.map((one) => one.cursor))
  return [...held, ...older.filter((one) => !known.has(one.cursor))]
}

/** What a page brings above what is held: all of it where it does not reach down to that. */
export function newerThan<Item extends { cursor: string }>(held: readonly Item[], page: readonly Item[]): readonly Item[] {
  const known = new Set(held.map((one) => one.cursor))
  const at = page.findIndex((one) => known.has(one.cursor))
  return at < 0 ? page : page.slice(0, at)
}

/** A page read anew, under the items that came over the line while it was on its way. */
export function rebased<Item extends { cursor: string }>(held: readonly Item[], page: readonly Item[]): Item[] {
  const newest = page[0]
  if (!newest) return [...held]
  const at = held.findIndex((one) => one.cursor === newest.cursor)
  // What is held does not reach the page: too much was missed, the page is the truth.
  if (at < 0) return [...page]
  return withOlder([...held.slice(0, at), ...page], held.slice(at))
}
