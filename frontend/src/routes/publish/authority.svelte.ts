import { asRefusal, type Refusal } from '$lib/api/errors'
import { graphql, type ResultOf } from '$lib/api/graphql'
import { request } from '$lib/api/request'
import type { EntryDraft } from './check'

/** A tally is dear to read: ten votes at a time. */
const CountedVotesQuery = graphql(`
  query CountedVotes($slug: String!, $after: String) {
    community(slug: $slug) {
      votes(first: 10, after: $after, status: [CLOSED, ON_DISPLAY, CERTIFIED, PUBLISHED]) {
        edges {
          node {
            id
            number
            title
            closesAt
            questions {
              id
              matter
              scope {
                id
              }
            }
            tally {
              questions {
                questionId
                outcome
              }
            }
          }
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
`)

type Counted = NonNullable<ResultOf<typeof CountedVotesQuery>['community']>['votes']['edges'][number]['node']

/** Every vote that is over, page by page, the newest first. */
export class CountedVotes {
  found = $state.raw<readonly Counted[]>([])
  whole = $state(false)
  loading = $state(false)
  refusal = $state.raw<Refusal | null>(null)
  #after: string | null = null

  constructor(private readonly slug: string) {
    void this.load()
  }

  load = async () => {
    if (this.loading) return
    this.loading = true
    this.refusal = null
    try {
      while (!this.whole) {
        const votes = (await request(CountedVotesQuery, { slug: this.slug, after: this.#after })).data.community?.votes
        this.found = [...this.found, ...(votes?.edges ?? []).map(({ node }) => node)]
        this.#after = votes?.pageInfo.endCursor ?? null
        this.whole = !votes?.pageInfo.hasNextPage
      }
    } catch (error) {
      this.refusal = asRefusal(error)
    } finally {
      this.loading = false
    }
  }
}

interface Voted {
  questions: readonly { id: string; matter: string; scope: object | null }[]
  tally: { questions: readonly { questionId: string; outcome: string | null }[] }
}

/**
 * Common parts earn where three quarters allow their use, and what they earned is spent by a resolution on just that,
 * of all owners, with every question that bears on it. The server decides; this keeps what cannot be right out of the list.
 */
const MATTER: Record<EntryDraft['direction'], string> = { INCOME: 'CHANGE_COMMON_PARTS', EXPENSE: 'SPEND_INCOME' }

export function mayAllow({ questions, tally }: Voted, direction: EntryDraft['direction']): boolean {
  const adopted = new Set(tally.questions.filter(({ outcome }) => outcome === 'ADOPTED').map(({ questionId }) => questionId))
  const fitting = questions.filter(({ matter }) => matter === MATTER[direction])
  return fitting.some(({ scope }) => !scope) && fitting.every(({ id }) => adopted.has(id))
}
