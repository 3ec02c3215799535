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

const draftName = (voteId: string, party: string) => `meilin.draft ${voteId} ${party}`
const keyName = (voteId: string, party: string) => `meilin.key ${voteId} ${party}`

export function storedDraft(voteId: string, party: string): Answers | null {
  const text = sessionStorage.getItem(draftName(voteId, party))
  return text ? (JSON.parse(text) as Answers) : null
}

export function storeDraft(voteId: string, party: string, answers: Answers) {
  sessionStorage.setItem(draftName(voteId, party), JSON.stringify(answers))
}

/**
 * The key under which these answers are sent. It stays the same over retries and reloads, so that a ballot
 * whose receipt was lost is not counted again; other answers are another ballot and get another key.
 */
export function sendingKey(voteId: string, party: string, input: unknown): string {
  const content = JSON.stringify(input)
  const stored = sessionStorage.getItem(keyName(voteId, party))
  const known = stored ? (JSON.parse(stored) as { key: string; content: string }) : null
  if (known?.content === content) return known.key
  const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
  sessionStorage.setItem(keyName(voteId, party), JSON.stringify({ key, content }))
  return key
}

export function forgetDraft(voteId: string, party: string) {
  sessionStorage.removeItem(draftName(voteId, party))
  sessionStorage.removeItem(keyName(voteId, party))
}
