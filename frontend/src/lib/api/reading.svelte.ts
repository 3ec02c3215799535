import { untrack } from 'svelte'
import { kept as forgettable } from '../kept.svelte'
import { reader } from '../live/attention.svelte'
import { serverClock } from '../live/clock.svelte'
import { session } from '../session/session.svelte'
import { type Board, boards } from './boards'
import { nameOf } from './document'
import { asRefusal, type Refusal } from './errors'
import { type TadaDocumentNode, written } from './graphql'
import { deeds, request } from './request'
import { sameButLive } from './same'

interface Read<Result> extends Board<Result> {
  withheld: boolean
  /** How many deeds had been done on this page by then. */
  deeds: number
}

/** What was read before, so that going back shows the page at once instead of a skeleton. */
const kept = new Map<string, Read<unknown>>()
const KEEP = 30
forgettable.alsoForget(() => kept.clear())

interface Options {
  /** Other variables are the same view a little further on: the old result stays until the new one is there. */
  hold?: boolean
  /** Kept for when the network is away, as everybody may read it. */
  board?: boolean
}

/** One query of a page: its result, or why there is none. What was shown stays while it is read again. */
export class Reading<Result, Variables> {
  data = $state.raw<Result | null>(null)
  refusal = $state.raw<Refusal | null>(null)
  /** What is missing is not missing but not for this viewer. */
  withheld = $state(false)
  loading = $state(true)
  /** When what is shown was read. */
  at = $state<number | null>(null)
  /** Read since, without anybody asking, and other than what is shown: it waits until somebody wants to see it. */
  newer = $state.raw<Read<Result> | null>(null)
  #turn = 0
  #key = ''
  /** Somebody waits for the answer, whoever asked for it last. */
  #awaited = false
  /** How many places say that something newer waits. Where nobody does, nothing can wait. */
  #offers = 0

  constructor(
    private readonly document: TadaDocumentNode<Result, Variables>,
    private readonly variables: () => Variables,
    private readonly options: Options = {},
  ) {
    $effect(() => {
      // Another viewer may see other things: a sign-in reads again, and what was kept is not shown to them.
      const key = `${nameOf(written(this.document))} ${session.turn} ${JSON.stringify(variables())}`
      const sameView = key.replace(/ \d+ /, ' ') === this.#key.replace(/ \d+ /, ' ')
      this.#key = key
      const before = sameView ? undefined : this.#begin(key)
      this.refusal = null
      // What one did oneself since is to be seen at once; what others did waits like all that arrives.
      void (before?.deeds === deeds.done ? this.refresh() : this.load())
    })

    // A page that could not be opened opens by itself when the network is back.
    $effect(() => {
      const again = () => void (this.refusal && this.refresh())
      addEventListener('online', again)
      return () => removeEventListener('online', again)
    })

    // Nobody reads: nothing is pulled away from under anybody's eyes.
    $effect(() => {
      if (this.newer && reader.away) untrack(this.take)
    })
  }

  /** Somebody asked for it, or there is nothing to lose: what comes is shown. */
  load = (): Promise<void> => {
    this.#awaited = true
    return this.#read()
  }

  /** Something changed: what comes is shown where it moves nothing that is being read, else it waits. */
  refresh = (): Promise<void> => this.#read()

  /** Shows what waited. */
  take = () => {
    if (this.newer) this.#show(this.newer)
  }

  /** Called by whatever tells the reader of `newer`, until the returned function is called. */
  offer = (): (() => void) => {
    this.#offers += 1
    return () => {
      this.#offers -= 1
      if (this.#offers === 0) this.take()
    }
  }

  /** Puts a known change in place without asking again. */
  amend(change: (data: Result) => Result) {
    if (this.data) this.data = change(this.data)
    if (this.newer) this.newer = { ...this.newer, data: change(this.newer.data) }
  }

  #begin(key: string) {
    const before = kept.get(key) as Read<Result> | undefined
    this.newer = null
    if (before) this.#show(before)
    else if (!this.options.hold) {
      this.data = null
      this.at = null
    }
    return before
  }

  async #read() {
    const turn = ++this.#turn
    const key = this.#key
    const variables = this.variables()
    const asked = deeds.done
    this.loading = true
    try {
      const { data, withheld } = await request(this.document, variables)
      if (turn !== this.#turn) return
      const read = { data, withheld, at: serverClock.now, deeds: asked }
      this.refusal = null
      keep(key, read)
      this.#arrived(read)
      if (hasViewer(data)) session.hear(data.viewer)
      if (this.options.board) void boards.keep(this.document, variables, read)
    } catch (error) {
      if (turn === this.#turn) await this.#refused(asRefusal(error), variables, turn)
    } finally {
      if (turn === this.#turn) this.loading = false
    }
  }

  /** Without a network, what everybody may read is better than nothing; it says of when it is. */
  async #refused(refusal: Refusal, variables: Variables, turn: number) {
    const away = refusal.code === 'UNREACHABLE' && this.options.board && !this.data
    const board = away ? await boards.find(this.document, variables) : null
    if (turn !== this.#turn) return
    this.refusal = refusal
    this.#awaited = false
    if (board) this.#show({ ...board, withheld: false, deeds: -1 })
  }

  #arrived(read: Read<Result>) {
    const shown = this.data
    const atOnce = !shown || this.#awaited || reader.away || this.#offers === 0
    if (atOnce || sameButLive(shown, read.data)) this.#show(read)
    else this.newer = read
  }

  #show({ data, withheld, at }: Read<Result>) {
    this.data = data
    this.withheld = withheld
    this.at = at
    this.newer = null
    this.#awaited = false
    if (hasViewer(data)) session.shows(data.viewer)
  }
}

type WithViewer = { viewer: Parameters<typeof session.hear>[0] }

const hasViewer = (data: unknown): data is WithViewer => typeof data === 'object' && data !== null && 'viewer' in data

function keep(key: string, read: Read<unknown>) {
  kept.delete(key)
  kept.set(key, read)
  const oldest = kept.keys().next().value
  if (kept.size > KEEP && oldest !== undefined) kept.delete(oldest)
}
