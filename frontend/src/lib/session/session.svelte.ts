import { Refusal, refusalFrom } from '../api/errors'
import { graphql, type ResultOf } from '../api/graphql'
import { request, send } from '../api/request'
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

class Session {
  viewer = $state.raw<Viewer | null>(null)
  /** False until the first answer: neither "sign in" nor a name is shown before. */
  known = $state(false)
  /** Counts sign-ins and sign-outs; pages read anew when it moves. */
  turn = $state(0)

  #changing = false
  #over = -Infinity

  constructor() {
    line.sessionOver = () => void this.#end()
  }

  hear(viewer: Viewer | null) {
    this.viewer = viewer
    this.known = true
    kept.belongsTo(viewer?.account ?? null)
  }

  async signIn(account: string) {
    await this.#change('POST', { account })
  }

  async signOut() {
    await this.#change('DELETE')
  }

  async #change(method: 'POST' | 'DELETE', body?: object) {
    this.#changing = true
    try {
      const answer = await send('/session', body, method)
      if (!answer.ok) throw await refusalOf(answer)
    } finally {
      this.#changing = false
    }
    if (method === 'DELETE') {
      kept.forgetAll()
      this.hear(null)
    }
    this.#changed()
  }

  /**
   * The session ended elsewhere: by time, by another tab, by whoever runs the server. The page goes on as whoever it
   * is now, a stranger as a rule, and says so; the cookie that opens nothing is put away.
   */
  async #end() {
    if (this.#changing || Date.now() - this.#over < TRIED_AGAIN) return
    this.#over = Date.now()
    await new Promise((resolve) => setTimeout(resolve, SETTLED))
    try {
      const viewer = await this.#who()
      if (this.#changing) return
      if (!viewer) await send('/session', undefined, 'DELETE')
      this.hear(viewer)
      this.#changed()
    } catch {
      this.#over = -Infinity // not reached: the line tries again by itself, and is told again
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
