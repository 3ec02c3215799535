import { type Client, createClient, type FormattedExecutionResult, type Sink, type SubscribePayload } from 'graphql-ws'

const HEARTBEAT = 12_000

/**
 * A server that restarts loses ten thousand phones in one moment, nearly all of them before somebody's eyes:
 * nobody can be let in first. Over four seconds they are 2,500 a second, which one process takes, and each
 * is live again within five.
 */
const FIRST_SPREAD = 4_000
const LONGEST_SPREAD = 20_000

/** An ordinary restart is over by then and never said: who reads "lost" shall be able to rely on it. */
const GRACE = 5_000

/** Nothing opens this door but another session; a screen that nobody touches still asks now and then. */
const SHUT = new Set([4401, 4403])
const SHUT_WAIT = 60_000

export type LineState = 'connecting' | 'live' | 'lost'

/**
 * The one socket of the page. It opens with the first subscription, is shared by all of them, and comes
 * back by itself for as long as somebody listens.
 */
class Line {
  state = $state<LineState>('connecting')
  /** When something was last heard, so that a lost line can say since when its numbers stand still. */
  heardAt = $state(Date.now())

  #client: Client | null = null
  #id = ''
  #terminate: (() => void) | null = null
  #grace: ReturnType<typeof setTimeout> | undefined
  #hurry = new Set<() => void>()
  #failures = 0
  #shut = false

  constructor() {
    if (!globalThis.document) return
    addEventListener('online', () => this.#hasten())
    document.addEventListener('visibilitychange', () => document.hidden || this.#hasten())
    addEventListener('offline', () => this.#lost(0))
  }

  subscribe<Result>(id: string, payload: SubscribePayload, sink: Sink<FormattedExecutionResult<Result, unknown>>): () => void {
    this.#client ??= this.#open()
    this.#id = id
    return this.#client.subscribe<Result, unknown>(payload, sink)
  }

  /** A new session is seen by a new socket only: close it, the subscriptions come back on the next one. */
  reopen() {
    this.#terminate?.()
    // The subscriptions begin to wait when they hear of it, which is not yet.
    setTimeout(() => this.#hasten())
  }

  /**
   * Calls after a while, at once when there is new hope. The wait is drawn from the whole of a span that
   * doubles from the third try on; the second keeps the first span, for a server that was not up yet.
   */
  later(tries: number, call: () => void): () => void {
    const span = Math.min(LONGEST_SPREAD, FIRST_SPREAD * 2 ** Math.max(0, tries - 1))
    const cancel = () => {
      clearTimeout(timer)
      this.#hurry.delete(go)
    }
    const go = () => {
      cancel()
      call()
    }
    const timer = setTimeout(go, Math.random() * span + (this.#shut ? SHUT_WAIT : 0))
    this.#hurry.add(go)
    return cancel
  }

  #hasten() {
    ;[...this.#hurry].forEach((go) => go())
  }

  #open(): Client {
    const client = createClient({
      url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
      // Asked while subscribing: the name comes from whoever subscribes, it is not for chance to give.
      generateID: () => this.#id,
      lazyCloseTimeout: 3_000,
      keepAlive: HEARTBEAT,
      retryAttempts: Infinity,
      shouldRetry: () => true,
      retryWait: () => new Promise((resolve) => this.later(this.#failures++, resolve)),
      on: {
        connected: () => this.#live(),
        message: () => this.#hear(),
        // A server that lets in and sends away again is not well yet: only a line that held a while is.
        pong: (received) => received && (this.#failures = 0),
        ping: (received) => received || this.#expectPong(),
        closed: (event) => this.#closed(event as CloseEvent),
      },
    })
    this.#terminate = () => client.terminate()
    return client
  }

  #pongDue: ReturnType<typeof setTimeout> | undefined

  /** A phone that changes its network keeps a dead socket "open" for minutes. */
  #expectPong() {
    clearTimeout(this.#pongDue)
    this.#pongDue = setTimeout(() => this.#terminate?.(), 5_000)
  }

  #hear() {
    clearTimeout(this.#pongDue)
    this.heardAt = Date.now()
  }

  #live() {
    clearTimeout(this.#grace)
    this.#grace = undefined
    this.state = 'live'
    this.#hear()
  }

  #closed({ code }: CloseEvent) {
    this.#shut = SHUT.has(code)
    this.#lost(GRACE)
  }

  /** Said after a moment only: a line that comes back at once was hardly gone. Failed attempts do not prolong it. */
  #lost(grace: number) {
    clearTimeout(this.#pongDue)
    this.#grace ??= setTimeout(() => (this.state = 'lost'), grace)
  }
}

export const line = new Line()
