import { Refusal, refusalFrom } from '../api/errors'
import { graphql, type ResultOf } from '../api/graphql'
import { boards } from '../api/boards'
import { request, send, told } from '../api/request'
import { kept } from '../kept.svelte'
import { line } from '../live/line.svelte'

/** Asked along with every page, so that the first view is one request. */
export const ViewerFragment = graphql(`
  fragment Viewer on Viewer {
    account
    communities {
      id
    }
  }
`)

type Viewer = ResultOf<typeof ViewerFragment>

const WhoQuery = graphql(
  `
    query Who {
      viewer {
        ...Viewer
      }
    }
  `,
  [ViewerFragment],
)

/** Whoever signs in anew, here or in another tab, ends the old session a moment before the new cookie is there. */
const SETTLED = 1_000

/** What a try could not end, the next may; but a server that goes on refusing is not asked without rest. */
const TRIED_AGAIN = 60_000

/** What a tab tells the others of the same browser: the cookie is one for all of them. */
const OTHERS = 'meilin.session'

class Session {
  viewer = $state.raw<Viewer | null>(null)
  /** False until the first answer: neither "sign in" nor a name is shown before. */
  known = $state(false)
  /** Counts sign-ins, sign-outs and ends; pages read anew when it moves. */
  turn = $state(0)
  /** Counts sign-ins alone: what was refused for want of one is worth another try. */
  signIns = $state(0)
  /** The account whose session ended by itself, until somebody signs in: what was typed is still there. */
  lapsed = $state<string | null>(null)

  /** As whom the page on the screen was read; undefined before there is one. */
  #readAs = $state<string | null | undefined>(undefined)
  #changing = false
  #looking = false
  #over = -Infinity
  #others = globalThis.document && 'BroadcastChannel' in globalThis ? new BroadcastChannel(OTHERS) : null

  constructor() {
    line.sessionOver = () => void this.#end()
    told.unauthenticated = () => void (this.viewer && this.#look())
    this.#others?.addEventListener('message', ({ data }) => this.#heardOfOthers(data))
  }

  /**
   * The page was read as whoever this is. Just after a sign-in it is still the stranger's: until it has been read
   * anew, nothing is said of what one may and may not.
   */
  get settled() {
    return this.known && this.#readAs === (this.viewer?.account ?? null)
  }

  /** Along with a page, or when somebody asked: who this is now. Another one than before is a change. */
  hear(viewer: Viewer | null) {
    if (this.#changing) return
    const before = this.viewer?.account
    const first = !this.known
    this.#become(viewer)
    if (first || before === viewer?.account) return
    if (!viewer) void this.#putCookieAway()
    this.#changed()
  }

  /** Along with what is drawn: as whom it was read. */
  shows(viewer: Viewer | null) {
    this.#readAs = viewer?.account ?? null
  }

  async signIn(account: string) {
    await this.#change('POST', { account })
    this.#become(await this.#who().catch(() => ({ account, communities: [] })))
    this.#changed()
  }

  async signOut() {
    await this.#change('DELETE')
    this.#leave()
  }

  async #change(method: 'POST' | 'DELETE', body?: object) {
    this.#changing = true
    try {
      const answer = await send('/session', body, method)
      if (!answer.ok) throw await refusalOf(answer)
    } finally {
      this.#changing = false
    }
    this.#others?.postMessage(method)
  }

  #become(viewer: Viewer | null) {
    const before = this.viewer?.account
    this.viewer = viewer
    this.known = true
    kept.belongsTo(viewer?.account ?? null)
    if (viewer && viewer.account !== before) {
      this.signIns += 1
      this.#over = -Infinity
      this.lapsed = null
    } else if (before && !viewer) this.lapsed = before
  }

  /** On purpose, here or in another tab: nothing of anybody stays. */
  #leave() {
    kept.forgetAll()
    void boards.forgetAll()
    this.#become(null)
    this.lapsed = null
    this.#changed()
  }

  #heardOfOthers(method: 'POST' | 'DELETE') {
    if (method === 'POST') void this.#look()
    else if (this.viewer || this.lapsed) this.#leave()
  }

  /** The server closed the line. Who cannot be asked is asked again when the line is told again. */
  async #end() {
    if (this.#changing || Date.now() - this.#over < TRIED_AGAIN) return
    this.#over = Date.now()
    await new Promise((resolve) => setTimeout(resolve, SETTLED))
    if (!(await this.#look())) this.#over = -Infinity
  }

  /**
   * The session may have ended elsewhere: by time, by another tab, by whoever runs the server. The page goes on as
   * whoever it is now, a stranger as a rule, and says so. False where nobody could be asked.
   */
  async #look(): Promise<boolean> {
    if (this.#changing || this.#looking) return true
    this.#looking = true
    try {
      const viewer = await this.#who()
      if (this.#changing) return true
      const before = this.viewer?.account
      this.#become(viewer)
      if (!viewer) await this.#putCookieAway()
      if (before === viewer?.account) line.reopen()
      else this.#changed()
      return true
    } catch {
      return false
    } finally {
      this.#looking = false
    }
  }

  async #who(): Promise<Viewer | null> {
    try {
      return (await request(WhoQuery, {})).data.viewer
    } catch (error) {
      if (error instanceof Refusal && error.code === 'UNAUTHENTICATED') return null
      throw error
    }
  }

  /** A cookie that opens nothing would keep the line shut. */
  async #putCookieAway() {
    await boards.forgetAll()
    await send('/session', undefined, 'DELETE').catch(() => {})
  }

  #changed() {
    this.turn += 1
    line.reopen()
  }
}

async function refusalOf(answer: Response): Promise<Refusal> {
  const body = (await answer.json().catch(() => null)) as { errors?: Parameters<typeof refusalFrom>[0] } | null
  const refusal = refusalFrom(body?.errors ?? [])
  // Said of an account there is a plainer sentence than "not found".
  return refusal.code === 'NOT_FOUND' ? new Refusal('UNKNOWN_ACCOUNT') : refusal
}

export const session = new Session()
