import { asRefusal, Refusal } from '../api/errors'
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
  const body = (await answer.json().catch(() => null)) as Record<string, unknown> | null
  const text = (key: string) => (typeof body?.[key] === 'string' ? { [key]: body[key] as string } : {})
  const code = typeof body?.['code'] === 'string' ? body['code'] : answer.status >= 500 ? 'UNREACHABLE' : 'UNKNOWN_ACCOUNT'
  return asRefusal(new Refusal(code, { ...text('zh'), ...text('en') }))
}

export const session = new Session()
