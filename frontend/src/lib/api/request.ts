import { type DocumentNode, print } from '@0no-co/graphql.web'
import type { TadaDocumentNode } from 'gql.tada'
import { serverClock } from '../live/clock.svelte'
import { asRefusal, Refusal, refusalFrom } from './errors'

const PATIENCE = 20_000

export const textOf = (document: DocumentNode): string => print(document)

export function nameOf({ definitions: [first] }: DocumentNode): string {
  return (first && 'name' in first && first.name?.value) || ''
}

export interface Answer<Result> {
  data: Result
  /** Something came as null because this viewer may not see it. */
  withheld: boolean
}

/** One query or mutation. What a right hides comes as null beside its error; only no data at all is a refusal. */
export async function request<Result, Variables>(
  document: TadaDocumentNode<Result, Variables>,
  variables: Variables,
): Promise<Answer<Result>> {
  const answer = await send('/graphql', { query: textOf(document as DocumentNode), variables })
  const body: unknown = await answer.json().catch(() => null)
  if (!isResult(body)) throw new Refusal(answer.ok ? 'INTERNAL' : 'UNREACHABLE')
  if (!body.data) throw refusalFrom(body.errors ?? [])
  const withheld = (body.errors ?? []).some((error) => /^(FORBIDDEN|UNAUTHENTICATED)$/.test(String(error.extensions?.['code'])))
  return { data: body.data as Result, withheld }
}

export async function send(path: string, body: unknown, method = 'POST'): Promise<Response> {
  try {
    const answer = await fetch(path, {
      method,
      credentials: 'same-origin',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    })
    serverClock.hear(answer.headers.get('date'))
    return answer
  } catch (error) {
    throw asRefusal(error)
  }
}

interface Result {
  data?: unknown
  errors?: Parameters<typeof refusalFrom>[0]
}

function isResult(body: unknown): body is Result {
  return typeof body === 'object' && body !== null && ('data' in body || 'errors' in body)
}
