import { asRefusal, type Refusal } from '$lib/api/errors'

const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')

/** Sends a form once: the key stays the same until it has been answered, so that a second tap publishes nothing twice. */
export class Publishing {
  busy = $state(false)
  /** Mistakes are shown from the first attempt on, not while somebody is still typing. */
  asked = $state(false)
  refusal = $state.raw<Refusal | null>(null)
  #key = newKey()

  async send(deed: (key: string) => Promise<void>) {
    if (this.busy) return
    this.busy = true
    this.refusal = null
    try {
      await deed(this.#key)
    } catch (error) {
      this.refusal = asRefusal(error)
      // The server has seen these words and refused them; mended, they are another publication.
      if (!this.refusal.mayHaveArrived) this.#key = newKey()
    } finally {
      this.busy = false
    }
  }
}
