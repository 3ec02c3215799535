import { asRefusal, type Refusal } from '$lib/api/errors'
import { session } from '$lib/session/session.svelte'

const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')

/** What was begun and is not sent, until the page is left. */
const begun = new Map<string, Publishing<object>>()

/** A session that ends takes the form away, not the words: whoever signs in again finds them. Others do not. */
export function publishing<Draft extends object>(name: string, empty: Draft): Publishing<Draft> {
  const whose = `${session.viewer?.account} ${name}`
  const found = (begun.get(whose) as Publishing<Draft> | undefined) ?? new Publishing(empty, () => begun.delete(whose))
  begun.set(whose, found as Publishing<object>)
  return found
}

/** Sends a form once: the key stays the same until it has been answered, so that a second tap publishes nothing twice. */
export class Publishing<Draft> {
  draft: Draft
  busy = $state(false)
  /** Mistakes are shown from the first attempt on, not while somebody is still typing. */
  asked = $state(false)
  refusal = $state.raw<Refusal | null>(null)
  #key = newKey()

  constructor(
    empty: Draft,
    private readonly done: () => void,
  ) {
    this.draft = $state(empty)
  }

  async send(deed: (key: string) => Promise<void>) {
    if (this.busy) return
    this.busy = true
    this.refusal = null
    try {
      await deed(this.#key)
      this.done()
    } catch (error) {
      this.refusal = asRefusal(error)
      // The server has seen these words and refused them; mended, they are another publication.
      if (!this.refusal.mayHaveArrived) this.#key = newKey()
    } finally {
      this.busy = false
    }
  }
}
