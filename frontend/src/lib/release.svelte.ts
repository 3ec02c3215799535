import { line } from './live/line.svelte'

const PATIENCE = 3_000
const NOW_AND_THEN = 30 * 60_000
/** A release restarts the server under ten thousand phones; they need not all ask in the same second. */
const SPREAD = 20_000

/** What the page keeps for when the network is away is fetched once there is something to read, not beside it. */
const AFTER_READING = 3_000

/** What this page was built as. Undefined while it is being developed: then there are no releases. */
const OWN = globalThis.document?.querySelector<HTMLMetaElement>('meta[name="release"]')?.content

/** Another release of the page is noticed, and loaded when somebody goes to another page anyway. */
class Release {
  /** The server has another one than this. */
  waiting = false

  begin() {
    if (!OWN) return
    document.addEventListener('visibilitychange', () => document.hidden || void this.look())
    setInterval(() => document.hidden || void this.look(), NOW_AND_THEN)
    line.cameBack = () => void setTimeout(() => this.look(), Math.random() * SPREAD)
    setTimeout(() => void this.#keepShell(), AFTER_READING)
  }

  /** True: there is another. False: this is it. Null: the server cannot be reached, or says nothing of it. */
  async look(): Promise<boolean | null> {
    if (!OWN) return false
    try {
      const answer = await fetch('/release.json', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) })
      if (!answer.ok) return null
      const { release } = (await answer.json()) as { release?: unknown }
      this.waiting = typeof release === 'string' && release !== OWN
    } catch {
      return null
    }
    if (this.waiting) void navigator.serviceWorker?.getRegistration().then((one) => one?.update()).catch(() => {})
    return this.waiting
  }

  async #keepShell() {
    try {
      await navigator.serviceWorker?.register('/sw.js', { updateViaCache: 'none' })
    } catch {
      // A private window, an address that is not secure, no network: the page does without.
    }
  }
}

export const release = new Release()
