import { nameOf, textOf, type Written } from './document'
import { type TadaDocumentNode, written } from './graphql'
import { request } from './request'

/**
 * What everybody may read of public communities, as it was read last: for those whose network is away.
 * Only answers given to nobody in particular get in, so that there is nothing personal to lose. Pages put them in;
 * the service worker never sees them.
 */
const STORE = 'meilin-boards'
const MOST = 12
/** Somebody who is signed in reads a page of their own; what a stranger sees of it is fetched beside it, now and then. */
const AGAIN_AFTER = 10 * 60_000

export interface Board<Data> {
  data: Data
  /** When it was read, in milliseconds of the server's clock. */
  at: number
}

interface Kept<Data> extends Board<Data> {
  /** Another release may ask for other things: what it cannot draw is as good as nothing. */
  query: string
}

interface Page {
  viewer: object | null
  community?: { publicReading: boolean } | null
}

/** Read as nobody, and meant for everybody. */
export function isPublic(data: unknown): boolean {
  const { viewer, community } = data as Page
  return viewer === null && (community === undefined || community?.publicReading === true)
}

const addressOf = (document: Written, variables: unknown) =>
  `/boards/${nameOf(document)}?${encodeURIComponent(JSON.stringify(variables))}`

/** Undefined where there is none: an insecure address, a private window. */
const opened = () => globalThis.caches?.open(STORE).catch(() => undefined)

class Boards {
  #fetched = new Map<string, number>()

  /** Keeps what was read as nobody, or reads it as nobody for somebody who is signed in. */
  async keep<Data, Variables>(document: TadaDocumentNode<Data, Variables>, variables: Variables, { data, at }: Board<Data>) {
    const address = addressOf(written(document), variables)
    if ((data as Page).viewer === null) return this.#put(address, written(document), { data, at })
    if (at - (this.#fetched.get(address) ?? -Infinity) < AGAIN_AFTER) return
    this.#fetched.set(address, at)
    const answer = await request(document, variables, 'omit').catch(() => null)
    if (answer) await this.#put(address, written(document), { data: answer.data, at })
  }

  async find<Data, Variables>(document: TadaDocumentNode<Data, Variables>, variables: Variables): Promise<Board<Data> | null> {
    try {
      const store = await opened()
      const found = await store?.match(addressOf(written(document), variables))
      const kept = found && ((await found.json()) as Kept<Data>)
      return kept?.query === textOf(written(document)) ? { data: kept.data, at: kept.at } : null
    } catch {
      return null
    }
  }

  /** At a sign-out and when a session ends. */
  async forgetAll() {
    this.#fetched.clear()
    await globalThis.caches?.delete(STORE).catch(() => false)
  }

  async #put(address: string, document: Written, { data, at }: Board<unknown>) {
    try {
      const store = await opened()
      await store?.delete(address) // also what is not public any more
      if (!store || !isPublic(data)) return
      await store.put(address, new Response(JSON.stringify({ data, at, query: textOf(document) })))
      const all = await store.keys()
      await Promise.all(all.slice(0, -MOST).map((oldest) => store.delete(oldest)))
    } catch {
      // A full disk: the page does without.
    }
  }
}

export const boards = new Boards()
