import { Refusal, refusalFrom } from '../api/errors'
import { graphql, type ResultOf } from '../api/graphql'
import { send } from '../api/request'
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

class Session {
  viewer = $state.raw<Viewer | null>(null)
  /** False until the first answer: neither "sign in" nor a name is shown before. */
  known = $state(false)
  /** Counts sign-ins and sign-outs; pages read anew when it moves. */
  turn = $state(0)

  hear(viewer: Viewer | null) {
    this.viewer = viewer
    this.known = true
  }

  async signIn(account: string) {
    const answer = await send('/session', { account })
    if (!answer.ok) throw await refusalOf(answer)
    this.#changed()
  }

  async signOut() {
    const answer = await send('/session', undefined, 'DELETE')
    if (!answer.ok) throw await refusalOf(answer)
    this.viewer = null
    this.#changed()
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
