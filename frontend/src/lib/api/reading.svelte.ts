import type { DocumentNode } from '@0no-co/graphql.web'
import type { TadaDocumentNode } from 'gql.tada'
import { untrack } from 'svelte'
import { session } from '../session/session.svelte'
import { asRefusal, type Refusal } from './errors'
import { nameOf, request } from './request'

/** What was read before, so that going back shows the page at once instead of a skeleton. */
const kept = new Map<string, unknown>()
const KEEP = 30

interface Options {
  /** Other variables are the same view a little further on: the old result stays until the new one is there. */
  hold?: boolean
}

/** One query of a page: its result, or why there is none. What was shown stays while it is read again. */
export class Reading<Result, Variables> {
  data = $state.raw<Result | null>(null)
  refusal = $state.raw<Refusal | null>(null)
  /** What is missing is not missing but not for this viewer. */
  withheld = $state(false)
  loading = $state(true)
  #turn = 0
  #key = ''

  constructor(
    private readonly document: TadaDocumentNode<Result, Variables>,
    private readonly variables: () => Variables,
    { hold = false }: Options = {},
  ) {
    $effect(() => {
      // Another viewer may see other things: a sign-in reads again, and what was kept is not shown to them.
      const key = `${nameOf(this.document as DocumentNode)} ${session.turn} ${JSON.stringify(variables())}`
      const sameView = key.replace(/ \d+ /, ' ') === this.#key.replace(/ \d+ /, ' ')
      this.#key = key
      if (!sameView) this.data = (kept.get(key) as Result | undefined) ?? (hold ? untrack(() => this.data) : null)
      this.refusal = null
      void this.load()
    })

    // A page that could not be opened opens by itself when the network is back.
    $effect(() => {
      const again = () => void (this.refusal && this.load())
      addEventListener('online', again)
      return () => removeEventListener('online', again)
    })
  }

  load = async (): Promise<void> => {
    const turn = ++this.#turn
    const key = this.#key
    this.loading = true
    try {
      const { data, withheld } = await request(this.document, this.variables())
      if (turn !== this.#turn) return
      this.data = data
      this.withheld = withheld
      this.refusal = null
      keep(key, data)
    } catch (error) {
      if (turn === this.#turn) this.refusal = asRefusal(error)
    } finally {
      if (turn === this.#turn) this.loading = false
    }
  }

  /** Puts a known change in place without asking again. */
  amend(change: (data: Result) => Result) {
    if (this.data) this.data = change(this.data)
  }
}

function keep(key: string, data: unknown) {
  kept.delete(key)
  kept.set(key, data)
  const oldest = kept.keys().next().value
  if (kept.size > KEEP && oldest !== undefined) kept.delete(oldest)
}
