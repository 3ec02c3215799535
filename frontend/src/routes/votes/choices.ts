import { SIDES, type Side } from '$lib/tally/reading'
import type { Words } from '$lib/words/zh'
import type { Question } from './query'

/** The sides of a resolution have one meaning everywhere and are worded here; a survey's options speak for themselves. */
export function sideOf(question: Pick<Question, 'kind'>, code: string): Side | undefined {
  return question.kind === 'RESOLUTION' ? SIDES.find((side) => side === code) : undefined
}

export function choiceLabel(words: Words, question: Pick<Question, 'kind'>, choice: Question['choices'][number]): string {
  const side = sideOf(question, choice.code)
  return side ? words.tally.sides[side] : choice.label
}

export function chosenLabels(words: Words, question: Question, codes: readonly string[]): string[] {
  return question.choices.filter(({ code }) => codes.includes(code)).map((choice) => choiceLabel(words, question, choice))
}
