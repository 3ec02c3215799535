import type { Refusal } from '../api/errors'
import type { LanguageName } from './language.svelte'
import type { Words } from './zh'

/** The server's own sentence where it sent one; ours for what happens before it could. */
export function problemSentence(refusal: Refusal, name: LanguageName, words: Words): string {
  const own: Record<string, string> = words.problem
  return refusal.sentences[name] ?? own[refusal.code] ?? words.problem.other
}
