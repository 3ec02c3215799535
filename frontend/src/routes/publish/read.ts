import { says } from '$lib/words/plain'
import type { NoticeDraft } from './check'

export type Unsaid = 'time' | 'contact'

/** What a reader of a notice will ask and cannot find in it. Nothing is said of an empty sheet. */
export function unsaid({ kind, title, body, from, until }: NoticeDraft): Unsaid[] {
  if (!body.trim()) return []
  const text = `${title}\n${body}`
  const missing: Unsaid[] = []
  if (kind === 'NOTICE' && !from && !until && !says.time.test(text)) missing.push('time')
  if (!says.contact.test(text)) missing.push('contact')
  return missing
}
