import { graphql, type ResultOf } from '../api/graphql'
import type { FeedItem } from '../feed/feed'
import { followItems } from '../feed/follow.svelte'
import { line } from '../live/line.svelte'
import { watch } from '../live/watch'

export const EntriesSubscription = graphql(`
  subscription LedgerEntries($communityId: ID!, $after: String) {
    ledgerEntries(communityId: $communityId, after: $after) {
      cursor
      node {
        __typename
        id
        number
        item
        direction
        amount
        date
        recordedAt
      }
    }
  }
`)

export const BalanceSubscription = graphql(`
  subscription LedgerBalance($communityId: ID!) {
    ledgerBalance(communityId: $communityId) {
      communityId
      version
      balance
    }
  }
`)

type Balance = ResultOf<typeof BalanceSubscription>['ledgerBalance']

interface Book {
  /** Nothing is followed as long as it is unknown, or the book is closed to whoever reads. */
  communityId: () => string | undefined
  /** What the page was read with. */
  balance: () => string
  /** An entry, as news of the page. */
  heard: (entry: FeedItem) => void
  /** The page does not say any more what is in the book. */
  changed: () => void
}

/** Follows a book: each new entry, and what is in the account now. */
export function followBook({ communityId, balance, heard, changed }: Book) {
  const id = $derived(communityId())
  let told = $state.raw<Balance | null>(null)
  const live = $derived(told?.communityId === id ? told : null)

  // Who recorded while the page was on its way is in no item that is to come: the balance tells of it.
  $effect(() => {
    if (!id) return
    return watch(BalanceSubscription, { communityId: id }, ({ ledgerBalance }) => {
      if (told?.version !== ledgerBalance.version && ledgerBalance.balance !== balance()) changed()
      told = ledgerBalance
    })
  })

  // While the line is lost, a page that is read anew knows more than what was heard before.
  $effect(() => {
    void balance()
    if (line.state === 'lost') told = null
  })

  followItems(EntriesSubscription, {
    itemOf: ({ ledgerEntries }) => ledgerEntries,
    communityId: () => id,
    heard: ({ cursor, node }) => {
      heard({ cursor, at: node.recordedAt, kind: 'LEDGER_PUBLISHED', subject: node })
      changed()
    },
    lost: changed,
  })

  return {
    get balance() {
      return live?.balance ?? balance()
    },
  }
}
