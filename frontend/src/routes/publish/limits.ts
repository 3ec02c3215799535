import { graphql, type ResultOf } from '$lib/api/graphql'

/** What may be written, as the server says; nothing of it stands here. */
export const WritingLimitsFragment = graphql(`
  fragment WritingLimits on Limits {
    reason
    notice {
      title
      body
    }
    event {
      title
      place
      description
      capacity
      maxPartySize
    }
    entry {
      item
      counterparty
      voucher
      authorityClause
      reason
      amount
      date
      income
      expense
    }
  }
`)

export type WritingLimits = ResultOf<typeof WritingLimitsFragment>
