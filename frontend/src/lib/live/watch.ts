import type { DocumentNode } from '@0no-co/graphql.web'
import type { TadaDocumentNode } from 'gql.tada'
import { Refusal, refusalFrom } from '../api/errors'
import { textOf } from '../api/request'
import { line } from './line.svelte'

const FIRST_WAIT = 1_000
const LONGEST_WAIT = 60_000

/** Refusals that another try cannot change. */
const FINAL = new Set(['UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND', 'INVALID_ID', 'INVALID_INPUT', 'CURSOR_INVALID'])

interface Watcher<Result, Variables> {
  /** Asked again each time the line comes back, so that a journal resumes from the newest item held. */
  variables: () => Variables
  next: (result: Result) => void
  refused?: (refusal: Refusal) => void
}

/** Subscribes until the returned function is called, through lost lines and servers that restart. */
export function watch<Result, Variables>(
  document: TadaDocumentNode<Result, Variables>,
  { variables, next, refused }: Watcher<Result, Variables>,
): () => void {
  let wait = FIRST_WAIT
  let timer: ReturnType<typeof setTimeout> | undefined
  let ended = false
  let unsubscribe = () => {}

  const again = () => {
    if (ended) return
    timer = setTimeout(start, wait * (0.5 + Math.random()))
    wait = Math.min(LONGEST_WAIT, wait * 2)
  }

  const refuse = (refusal: Refusal) => {
    if (ended) return
    if (!FINAL.has(refusal.code)) return again()
    refused?.(refusal)
  }

  const start = () => {
    const payload = {
      query: textOf(document as DocumentNode),
      // The client writes the payload anew on every reconnect: a getter gives it the cursor of that moment.
      get variables() {
        return variables() as Record<string, unknown>
      },
    }
    unsubscribe = line.client.subscribe<Result, unknown>(payload, {
      next(result) {
        if (ended) return
        if (result.data) {
          wait = FIRST_WAIT
          next(result.data)
        } else if (result.errors) refuse(refusalFrom(result.errors))
      },
      error: (error) => (Array.isArray(error) ? refuse(refusalFrom(error)) : again()),
      complete: again,
    })
  }

  start()
  return () => {
    ended = true
    clearTimeout(timer)
    unsubscribe()
  }
}
