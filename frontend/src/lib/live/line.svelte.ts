import type { Client, FormattedExecutionResult, Sink, SubscribePayload } from 'graphql-ws'
import { opening } from '../opening.svelte'

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

/** Long enough to answer a message and come back to a page that never stopped. */
const REST_AFTER = 30_000

/** As long as the next page may take to be read: a visit needs one socket, also over a slow network. */
const KEPT_UNUSED = 20_000

/** A ping and its answer overdue: the phone slept, or the network under the socket is another by now. */
const PONG_DUE = 5_000
const SILENT = HEARTBEAT + PONG_DUE

/** Nothing opens this door but another session; a screen that nobody touches still asks now and then. */
const SESSION_OVER = 4401
const SHUT = new Set([SESSION_OVER, 4403])
const SHUT_WAIT = 60_000

export type LineState = 'connecting' | 'live' | 'lost'

const hidden = () => globalThis.document?.hidden ?? false

/** What stands on the line. It starts and stops as often as the page is looked at and hidden. */
interface Standing {
  start: () => void
  stop: () => void
}

/**
 * The one socket of the page. It opens with the first subscription, is shared by all of them, and comes
 * back by itself for as long as somebody listens.
 */
class Line {
  state = $state<LineState>('connecting')
  /** When something was last heard, so that a lost line can say since when its numbers stand still. */
  heardAt = $state(Date.now())

  /** Called when the server says that the session behind this line is over: the next line is somebody else's. */
  sessionOver: () => void = () => {}

  /** Called when a line that was lost is back: behind it may be another release. */
  cameBack: () => void = () => {}

  #client: Client | null = null
  /** Its script comes after the page: nobody waits for it to read. */
  #coming: Promise<Client> | null = null
  #id = ''
  #terminate: (() => void) | null = null
  #grace: ReturnType<typeof setTimeout> | undefined
  #hurry = new Set<() => void>()
  #failures = 0
  #shut = false
  #open = false
  #everOpen = false
  #resting = false
  #restDue: ReturnType<typeof setTimeout> | undefined
  #standing = new Set<Standing>()

  constructor() {
    if (!globalThis.document) return
    addEventListener('online', () => this.#look())
    document.addEventListener('visibilitychange', () => this.#look())
    addEventListener('offline', () => this.#resting || this.#lost(0))
    this.#look()
  }

  /** Until the returned function is called, through all rests. */
  join(one: Standing): () => void {
    this.#standing.add(one)
    if (!this.#resting) one.start()
    return () => {
      this.#standing.delete(one)
      one.stop()
    }
  }

  subscribe<Result>(id: string, payload: SubscribePayload, sink: Sink<FormattedExecutionResult<Result, unknown>>): () => void {
    const begin = (client: Client) => {
      this.#id = id
      return client.subscribe<Result, unknown>(payload, sink)
    }
    if (this.#client) return begin(this.#client)
    let leave = () => {}
    let over = false
    this.#coming ??= this.#create()
    this.#coming.then(
      (client) => {
        if (!over) leave = begin(client)
      },
      (error) => {
        this.#coming = null
        // Browsers do not ask for a lost script again: the next page is loaded anew, and with it the script.
        opening.failed = true
        if (!this.#resting) this.#lost(GRACE)
        if (!over) sink.error(error)
      },
    )
    return () => {
      over = true
      leave()
    }
  }

  /** A new session is seen by a new socket only, and may see what was refused before. */
  reopen() {
    this.#rest()
    this.#terminate?.()
    this.#wake()
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

  #look() {
    clearTimeout(this.#restDue)
    if (hidden()) this.#restDue = setTimeout(() => this.#rest(), REST_AFTER)
    else if (this.#open && Date.now() - this.heardAt > SILENT) this.reopen()
    else this.#wake()
  }

  /** Nobody looks: the numbers stay as they are, and the line is let go without a word. */
  #rest() {
    this.#resting = true
    this.#calm()
    this.#standing.forEach((one) => one.stop())
  }

  #wake() {
    if (this.#resting) {
      this.#resting = false
      if (!this.#open && this.#standing.size > 0) this.#lost(navigator.onLine ? GRACE : 0)
      this.#standing.forEach((one) => one.start())
    }
    ;[...this.#hurry].forEach((go) => go())
  }

  async #create(): Promise<Client> {
    const { createClient } = await import('graphql-ws')
    const client = createClient({
      url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
      // Asked while subscribing: the name comes from whoever subscribes, it is not for chance to give.
      generateID: () => this.#id,
      lazyCloseTimeout: KEPT_UNUSED,
      keepAlive: HEARTBEAT,
      retryAttempts: Infinity,
      shouldRetry: () => true,
      retryWait: () => new Promise((resolve) => this.later(this.#failures++, resolve)),
      on: {
        connected: () => this.#live(),
        message: () => this.#hear(),
        // A server that lets in and sends away again is not well yet: only a line that held a while is.
        pong: (received) => received && (this.#failures = 0),
        // A hidden tab's clock stutters: it is no judge of the network.
        ping: (received) => received || hidden() || this.#expectPong(),
        closed: (event) => this.#closed(event as CloseEvent),
      },
    })
    this.#terminate = () => client.terminate()
    this.#client = client
    return client
  }

  #pongDue: ReturnType<typeof setTimeout> | undefined

  /** A phone that changes its network keeps a dead socket "open" for minutes. */
  #expectPong() {
    clearTimeout(this.#pongDue)
    this.#pongDue = setTimeout(() => this.#terminate?.(), PONG_DUE)
  }

  #hear() {
    clearTimeout(this.#pongDue)
    this.heardAt = Date.now()
  }

  #live() {
    this.#calm()
    if (this.#everOpen) this.cameBack()
    this.#everOpen = true
    this.#open = true
    this.state = 'live'
    this.#hear()
  }

  #closed({ code }: CloseEvent) {
    clearTimeout(this.#pongDue)
    this.#open = false
    this.#shut = SHUT.has(code)
    if (code === SESSION_OVER) this.sessionOver()
    if (this.#resting) return
    if (this.#standing.size === 0) this.state = 'connecting'
    else if (hidden()) this.#rest()
    else this.#lost(GRACE)
  }

  /** Said after a moment only: a line that comes back at once was hardly gone. Failed attempts do not prolong it. */
  #lost(grace: number) {
    this.#grace ??= setTimeout(() => (this.state = 'lost'), grace)
  }

  #calm() {
    clearTimeout(this.#grace)
    this.#grace = undefined
  }
}

export const line = new Line()
