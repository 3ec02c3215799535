import { nameOf, textOf, type Written } from '../api/document'
import { Refusal, refusalFrom } from '../api/errors'
import { type TadaDocumentNode, written } from '../api/graphql'
import { told } from '../api/request'
import { line } from './line.svelte'

/** Refusals that another try cannot change. */
const FINAL = new Set(['UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND', 'INVALID_ID', 'INVALID_INPUT', 'CURSOR_INVALID'])

interface Ear<Result> {
  next: (result: Result) => void
  refused?: (refusal: Refusal) => void
}

interface State {
  heard: Set<(result: unknown) => void>
  newest: unknown
  leave: () => void
}

const states = new Map<string, State>()
const journals = new Set<string>()

/**
 * State, newest wins: listens until the returned function is called, through lost lines and servers that
 * restart. Whoever watches the same thing shares one subscription and hears at once what it heard last.
 */
export function watch<Result, Subject extends object>(
  document: TadaDocumentNode<Result, Subject>,
  subject: Subject,
  next: (result: Result) => void,
): () => void {
  const id = idOf(written(document), subject)
  const state = states.get(id) ?? open(id, written(document), subject)
  const hear = (result: unknown) => next(result as Result)
  state.heard.add(hear)
  if (state.newest) hear(state.newest)
  return () => {
    state.heard.delete(hear)
    if (state.heard.size > 0) return
    states.delete(id)
    state.leave()
  }
}

function open(id: string, document: Written, subject: object): State {
  const state: State = { heard: new Set(), newest: undefined, leave: () => {} }
  states.set(id, state)
  state.leave = stand(id, document, () => subject, {
    next(result) {
      state.newest = result
      state.heard.forEach((hear) => hear(result))
    },
  })
  return state
}

interface Follower<Result, Subject> extends Ear<Result> {
  subject: Subject
  /** Asked again each time the line comes back, so that the journal resumes from the newest item held. */
  after: () => string | null
}

/** A journal, every item in order. Each follower stands at a cursor of its own, so that nothing is shared. */
export function follow<Result, Variables extends { after?: string | null }>(
  document: TadaDocumentNode<Result, Variables>,
  { subject, after, ...ear }: Follower<Result, Omit<Variables, 'after'>>,
): () => void {
  const id = free(idOf(written(document), subject))
  journals.add(id)
  const leave = stand(id, written(document), () => ({ ...subject, after: after() }), ear)
  return () => {
    leave()
    journals.delete(id)
  }
}

/**
 * The same on every phone that shows the same thing: the server may send all of them the very same bytes.
 * A cursor is each reader's own and has no place in it.
 */
function idOf(document: Written, subject: object): string {
  return [nameOf(document), ...Object.values(subject)].join(':')
}

/** The server closes a line on which an id comes twice (4409). */
function free(id: string, turn = 1): string {
  const tried = turn === 1 ? id : `${id}:${turn}`
  return journals.has(tried) ? free(id, turn + 1) : tried
}

/** One subscription that comes back by itself, through lost lines, servers that restart and tabs that rest. */
function stand<Result>(
  id: string,
  document: Written,
  variables: () => object,
  { next, refused }: Ear<Result>,
): () => void {
  let tries = 0
  let stop = () => {}

  const start = () => {
    let over = false
    let leave = () => {}
    let giveUp = () => {}
    stop = () => {
      over = true
      giveUp()
      leave()
    }
    const again = () => {
      if (over) return
      over = true
      // After a close that it takes for final the client goes on counting this one, and would keep its socket for ever.
      leave()
      giveUp = line.later(tries++, start)
    }
    const refuse = (refusal: Refusal) => {
      if (refusal.code === 'UNAUTHENTICATED') told.unauthenticated()
      if (!FINAL.has(refusal.code)) again()
      else if (!over) refused?.(refusal)
    }
    const payload = {
      query: textOf(document),
      // The client writes the payload anew on every reconnect: a getter gives it the cursor of that moment.
      get variables() {
        return variables() as Record<string, unknown>
      },
    }
    leave = line.subscribe<Result>(id, payload, {
      next(result) {
        if (over) return
        if (result.data) {
          tries = 0
          next(result.data)
        } else if (result.errors) refuse(refusalFrom(result.errors))
      },
      error: (error) => (Array.isArray(error) ? refuse(refusalFrom(error)) : again()),
      complete: again,
    })
  }

  return line.join({ start, stop: () => stop() })
}
