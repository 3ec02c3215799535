import type { Entry, VotePage } from './query'

/** The screens of casting, by the name they have in the address: so that "back" on the phone goes one back. */
export type Step = 'party' | 'review' | 'receipt' | `question-${number}`

export const castable = (vote: Pick<VotePage, 'viewerEntries' | 'revisable'>): Entry[] =>
  vote.viewerEntries.filter((entry) => entry.mayCast && (vote.revisable || !entry.ballot))

export function stepsOf(vote: Pick<VotePage, 'viewerEntries' | 'revisable' | 'questions'>): Step[] {
  const asksParty = vote.viewerEntries.filter((entry) => entry.mayCast).length > 1
  return [
    ...(asksParty ? (['party'] as const) : []),
    ...vote.questions.map((_, index) => `question-${index + 1}` as const),
    'review',
  ]
}

export const firstStep = (vote: Pick<VotePage, 'viewerEntries' | 'revisable' | 'questions'>): Step => stepsOf(vote)[0]!
