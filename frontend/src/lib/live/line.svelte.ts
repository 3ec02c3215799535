import { type Client, createClient, type FormattedExecutionResult, type Sink, type SubscribePayload } from 'graphql-ws'

const GRACE = 2_000
const LONGEST_WAIT = 20_000
const HEARTBEAT = 12_000

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

  constructor() {
    if (!globalThis.document) return
    const hurry = () => this.#hurry.forEach((go) => go())
    addEventListener('online', hurry)
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && hurry())
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
      retryWait: (retries) => this.#wait(retries),
      on: {
        connected: () => this.#live(),
        message: () => this.#hear(),
        pong: () => this.#hear(),
        ping: (received) => received || this.#expectPong(),
        closed: () => this.#lost(GRACE),
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

  /** Said after a moment only: a line that comes back at once was hardly gone. Failed attempts do not prolong it. */
  #lost(grace: number) {
    clearTimeout(this.#pongDue)
    this.#grace ??= setTimeout(() => (this.state = 'lost'), grace)
  }

  /** Doubling, with jitter over the whole span, so that a thousand phones do not come back in one second. */
  #wait(retries: number): Promise<void> {
    const span = Math.min(LONGEST_WAIT, 500 * 2 ** retries)
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer)
        this.#hurry.delete(go)
        resolve()
      }
      const timer = setTimeout(go, 200 + Math.random() * span)
      this.#hurry.add(go)
    })
  }
}

export const line = new Line()
