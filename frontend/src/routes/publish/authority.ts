import type { EntryDraft } from './check'

interface Voted {
  questions: readonly { id: string; matter: string; scope: object | null }[]
  tally: { questions: readonly { questionId: string; outcome: string | null }[] }
}

/**
 * Common parts earn where three quarters allow their use, and what they earned is spent by a resolution on just that,
 * of all owners. The server decides; this keeps what cannot be right out of the list.
 */
const MATTER: Record<EntryDraft['direction'], string> = { INCOME: 'CHANGE_COMMON_PARTS', EXPENSE: 'SPEND_INCOME' }

export function mayAllow({ questions, tally }: Voted, direction: EntryDraft['direction']): boolean {
  const adopted = new Set(tally.questions.filter(({ outcome }) => outcome === 'ADOPTED').map(({ questionId }) => questionId))
  return questions.some(({ id, matter, scope }) => matter === MATTER[direction] && !scope && adopted.has(id))
}
