import { tick, untrack } from 'svelte'
import { asRefusal, type Refusal } from '$lib/api/errors'
import { serverClock } from '$lib/live/clock.svelte'
import { kept as all } from '$lib/kept.svelte'
import { session } from '$lib/session/session.svelte'
import { drop, find, hear, keep, type Kept, nameOf } from './kept'

const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')

/** What was begun in this window, by the name under which it is kept. */
const begun = new Map<string, Publishing<object>>()

hear((name, kept) => begun.get(name)?.hear(kept))

// Nobody's words are shown to whoever signs in next, nor kept again by a form that is still leaving.
all.alsoForget(() => {
  begun.forEach((one) => one.forget())
  begun.clear()
})

/** A draft of the one who is signed in: found again after a reload, in another window, after another sign-in. */
export function publishing<Draft extends object>(form: string, empty: Draft): Publishing<Draft> {
  const name = nameOf(session.viewer?.account ?? '', form)
  const found = (begun.get(name) as Publishing<Draft> | undefined) ?? new Publishing(name, empty)
  begun.set(name, found as unknown as Publishing<object>)
  found.begin()
  return found
}

/** Writes once, looks, sends once. The key belongs to the draft: whatever gets lost, the same draft is never out twice. */
export class Publishing<Draft extends object> {
  draft: Draft
  step = $state<'write' | 'look'>('write')
  busy = $state(false)
  /** What is missing is said from the first attempt on, not while somebody is still typing. */
  asked = $state(false)
  refusal = $state.raw<Refusal | null>(null)
  /** When the draft was last kept; null while there is nothing to keep. */
  keptAt = $state<number | null>(null)
  /** The browser keeps nothing. */
  unkept = $state(false)
  /** It was sent, and nobody knows whether it arrived. */
  sent = $state(false)
  /** Another window has published it, or thrown it away. */
  goneElsewhere = $state(false)
  /** What was thrown away last, until something else is written. */
  #thrown = $state.raw<{ draft: Draft; key: string; sent: boolean } | null>(null)
  #key = newKey()
  #text: string
  /** The draft that was refused. */
  #refused = $state.raw<Draft | null>(null)
  readonly #none: string
  /** Signed out: what happens to it from now on leaves nothing behind. */
  #forgotten = false

  constructor(
    private readonly name: string,
    private readonly empty: Draft,
  ) {
    this.draft = $state({ ...empty })
    this.#none = this.#text = JSON.stringify(empty)
    const kept = find(name)
    if (kept) this.#adopt(kept)
  }

  get blank() {
    return JSON.stringify(this.draft) === this.#none
  }

  get thrown() {
    return this.#thrown !== null && this.blank
  }

  /** The form is there again: what was said about an earlier attempt is no news. */
  begin() {
    this.refusal = null
    this.step = 'write'
    this.goneElsewhere = false
  }

  /** Called in an effect: keeps each change at once, so that there is no moment at which something can be lost. */
  keep() {
    const text = JSON.stringify(this.draft)
    if (text === this.#text) return
    this.#text = text
    untrack(() => {
      this.goneElsewhere = false
      this.#store()
    })
  }

  #store() {
    if (this.#forgotten) return
    if (this.#text === this.#none && !this.sent) {
      drop(this.name)
      this.keptAt = null
      return
    }
    const at = serverClock.now
    const draft = JSON.parse(this.#text) as Record<string, unknown>
    this.unkept = !keep(this.name, { draft, key: this.#key, at, sent: this.sent })
    this.keptAt = this.unkept ? null : at
  }

  #adopt({ draft, key, at, sent }: Kept) {
    const known = Object.entries(this.empty).map(([field, value]) => [field, typeof draft[field] === typeof value ? draft[field] : value])
    Object.assign(this.draft, Object.fromEntries(known))
    this.#text = JSON.stringify(this.draft)
    this.#key = key
    this.keptAt = at
    this.sent = sent
  }

  #clear() {
    Object.assign(this.draft, this.empty)
    this.#text = this.#none
    this.#key = newKey()
    this.#refused = null
    this.keptAt = null
    this.sent = this.asked = false
    this.refusal = null
    this.step = 'write'
  }

  /** The same draft in two windows is one draft. */
  hear(kept: Kept | null) {
    if (this.busy) return
    if (kept) this.#adopt(kept)
    else if (!this.blank) {
      this.#clear()
      this.goneElsewhere = true
    }
    this.step = 'write'
  }

  forget() {
    this.#forgotten = true
    this.#clear()
    this.#thrown = null
  }

  throwAway() {
    const thrown = { draft: { ...this.draft }, key: this.#key, sent: this.sent }
    drop(this.name)
    this.#clear()
    this.#thrown = thrown
  }

  takeBack() {
    if (!this.#thrown) return
    const { draft, key, sent } = this.#thrown
    this.#thrown = null
    Object.assign(this.draft, draft)
    this.#key = key
    this.sent = sent
    this.keep()
  }

  /** What arrived earlier stays as it is; this draft becomes another publication. */
  anew() {
    this.#key = newKey()
    this.sent = false
    this.refusal = null
    this.step = 'write'
    this.#store()
  }

  /** The earlier attempt did arrive, with other words. */
  get outAlready() {
    return this.refusal?.code === 'KEY_REUSED'
  }

  /** The field that the server found at fault; what was said belongs beside it and nowhere else. */
  faultyField(places: Readonly<Record<string, string>>): keyof Draft | null {
    return (places[this.refusal?.field ?? ''] as keyof Draft | undefined) ?? null
  }

  /** The same, while it still says what was refused. */
  refusedAt(places: Readonly<Record<string, string>>): keyof Draft | null {
    const field = this.faultyField(places)
    return field !== null && this.#refused?.[field] === this.draft[field] ? field : null
  }

  /** The result; null where it was refused, which `refusal` says. */
  async send<Result>(deed: (key: string) => Promise<Result>): Promise<Result | null> {
    if (this.busy) return null
    const before = this.sent
    this.busy = true
    this.refusal = null
    this.sent = true
    this.#store() // before it leaves: a page that is closed now must know later
    try {
      const result = await deed(this.#key)
      drop(this.name)
      this.#clear()
      return result
    } catch (error) {
      this.#refuse(asRefusal(error), before)
      return null
    } finally {
      this.busy = false
    }
  }

  #refuse(refusal: Refusal, before: boolean) {
    this.refusal = refusal
    this.#refused = { ...this.draft }
    this.sent = before || refusal.mayHaveArrived || this.outAlready
    this.asked = true
    if (refusal.field) this.step = 'write'
    this.#store()
  }
}

/** Whatever is written on it. */
export type AnyPublishing = Omit<Publishing<object>, 'draft' | 'faultyField' | 'refusedAt' | 'send'>

/** After an attempt the focus goes to what has to be mended, or to what was said. */
export async function toFirstProblem(within: HTMLElement | undefined) {
  await tick()
  const found = within?.querySelector<HTMLElement>('[aria-invalid="true"], [aria-invalid="true"] input, .said')
  found?.focus()
  found?.scrollIntoView?.({ block: 'center' })
}
