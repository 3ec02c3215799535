const TICK = 15_000

/** The time on the server's wall: phones are sometimes minutes off, and a vote closes by the server's clock. */
class ServerClock {
  #ahead = 0
  now = $state(Date.now())

  constructor() {
    setInterval(() => this.#tick(), TICK)
    globalThis.document?.addEventListener('visibilitychange', () => this.#tick())
  }

  /** The Date header is whole seconds, half a minute of difference is not worth a jump. */
  hear(header: string | null) {
    const there = header ? Date.parse(header) : Number.NaN
    if (Number.isNaN(there)) return
    const ahead = there - Date.now()
    this.#ahead = Math.abs(ahead) > 30_000 ? ahead : 0
    this.#tick()
  }

  #tick() {
    this.now = Date.now() + this.#ahead
  }
}

export const serverClock = new ServerClock()
