import { asRefusal, type Refusal } from '$lib/api/errors'
import { forgetKey, sendingKey } from '$lib/kept.svelte'

/** Answers after which nobody knows what stands but the server: the page asks for it. */
const LOOK = new Set(['ALREADY_SIGNED_UP', 'KEY_REUSED', 'NOT_FOUND', 'EVENT_FULL'])

/** A deed that may be tried again and is done once: under the same key until it has been answered. */
export class SendingOnce {
  busy = $state(false)
  refusal = $state.raw<Refusal | null>(null)
  /** It may have been done: what stands will say so. */
  unsettled = false

  constructor(private readonly readAgain: () => Promise<void>) {}

  async send(name: string, content: unknown, deed: (key: string) => Promise<void>) {
    if (this.busy) return
    this.busy = true
    this.refusal = null
    this.unsettled = false
    try {
      await deed(sendingKey(name, content))
      forgetKey(name)
    } catch (error) {
      await this.#refused(name, asRefusal(error))
    } finally {
      this.busy = false
    }
  }

  /** What stands has been read: whatever was refused before is answered by it. */
  settle() {
    this.unsettled = false
    this.refusal = null
  }

  async #refused(name: string, refusal: Refusal) {
    this.refusal = refusal
    this.unsettled = refusal.mayHaveArrived || LOOK.has(refusal.code)
    if (!refusal.mayHaveArrived && refusal.code !== 'UNAUTHENTICATED') forgetKey(name)
    if (this.unsettled) await this.readAgain()
  }
}
