import { forgetKey, kept, sendingKey } from '$lib/kept.svelte'
import type { Ballot, Question } from './query'

/** What has been ticked and typed so far, for one owner party in one vote. It outlives a reload. */
export interface Answers {
  [questionId: string]: { choices: string[]; text: string }
}

export type Problem = 'pickFirst' | 'pickAtLeast' | 'pickAtMost'

type Rule = Pick<Question, 'minChoices' | 'maxChoices'>

export function problemWith({ minChoices, maxChoices }: Rule, choices: readonly string[]): Problem | null {
  if (choices.length < minChoices) return minChoices === 1 ? 'pickFirst' : 'pickAtLeast'
  return choices.length > maxChoices ? 'pickAtMost' : null
}

/** Such a ballot is refused, whatever each question allows. */
export function saysNothing(questions: readonly Pick<Question, 'id' | 'acceptsText'>[], answers: Answers): boolean {
  return questions.every(({ id, acceptsText }) => {
    const { choices = [], text = '' } = answers[id] ?? {}
    return choices.length === 0 && !(acceptsText && text.trim())
  })
}

/** One choice replaces the other; where several are allowed each is switched by itself. */
export function toggled({ maxChoices }: Rule, choices: readonly string[], code: string): string[] {
  if (maxChoices === 1) return [code]
  return choices.includes(code) ? choices.filter((one) => one !== code) : [...choices, code]
}

/** Null where somebody else cast it for the same party: that it counts is known, how it was marked is not. */
export function answersOf(ballot: Pick<Ballot, 'answers'> & Partial<Ballot>): Answers | null {
  if (!ballot.answers) return null
  return Object.fromEntries(
    ballot.answers.map(({ questionId, choices, text }) => [questionId, { choices: [...choices], text: text ?? '' }]),
  )
}

/** As the mutation takes them, one for each question. */
export function asInput(questions: readonly Question[], answers: Answers) {
  return questions.map(({ id, acceptsText }) => {
    const { choices = [], text = '' } = answers[id] ?? {}
    return { questionId: id, choices, ...(acceptsText && text.trim() ? { text: text.trim() } : {}) }
  })
}

const draftName = (voteId: string, party: string) => `ballot ${voteId} ${party}`

export const storedDraft = (voteId: string, party: string) => kept.read<Answers>(draftName(voteId, party))

export const storeDraft = (voteId: string, party: string, answers: Answers) => kept.write(draftName(voteId, party), answers)

/** A ballot whose receipt was lost is not counted again. */
export const ballotKey = (voteId: string, party: string, input: unknown) => sendingKey(draftName(voteId, party), input)

export function forgetDraft(voteId: string, party: string) {
  kept.forget(draftName(voteId, party))
  forgetKey(draftName(voteId, party))
}

/** Whose ballot was being filled in: a reload, or a session that ended, goes on with it. */
export const storedParty = (voteId: string) => kept.read<string>(`party ${voteId}`)
export const storeParty = (voteId: string, party: string) => kept.write(`party ${voteId}`, party)
