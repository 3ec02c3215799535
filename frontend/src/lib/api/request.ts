import { type DocumentNode, print } from '@0no-co/graphql.web'
import type { TadaDocumentNode } from 'gql.tada'
import { serverClock } from '../live/clock.svelte'
import { asRefusal, Refusal, refusalFrom } from './errors'

const PATIENCE = 20_000

/** Who wants to know that the server takes us for nobody, wherever it says so. */
export const told = { unauthenticated: () => {} }

/** What was done through this page, successfully or not: what was read before may have changed by it. */
export const deeds = { done: 0 }

export const textOf = (document: DocumentNode): string => print(document)

export function nameOf({ definitions: [first] }: DocumentNode): string {
  return (first && 'name' in first && first.name?.value) || ''
}

export interface Answer<Result> {
  data: Result
  /** Something came as null because this viewer may not see it. */
  withheld: boolean
}

/** One query. What a right hides comes as null beside its error; only no data at all is a refusal. */
export async function request<Result, Variables>(
  document: TadaDocumentNode<Result, Variables>,
  variables: Variables,
  credentials?: RequestCredentials,
): Promise<Answer<Result>> {
  const { data, errors } = await answerTo(document, variables, credentials)
  if (!data) throw refusalFrom(errors)
  const withheld = errors.some((error) => /^(FORBIDDEN|UNAUTHENTICATED)$/.test(String(error.extensions?.['code'])))
  return { data: data as Result, withheld }
}

/** What was done, each field of it there: one that comes as null was refused. */
export type Done<Result> = { [Field in keyof Result]: NonNullable<Result[Field]> }

export async function mutate<Result extends object, Variables>(
  document: TadaDocumentNode<Result, Variables>,
  variables: Variables,
): Promise<Done<Result>> {
  deeds.done += 1
  const { data, errors } = await answerTo(document, variables)
  if (!data || Object.values(data).includes(null)) throw refusalFrom(errors)
  return data as Done<Result>
}

async function answerTo<Result, Variables>(
  document: TadaDocumentNode<Result, Variables>,
  variables: Variables,
  credentials?: RequestCredentials,
) {
  const answer = await send('/graphql', { query: textOf(document as DocumentNode), variables }, 'POST', credentials)
  const body: unknown = await answer.json().catch(() => null)
  if (!isResult(body)) throw new Refusal(answer.ok ? 'INTERNAL' : 'UNREACHABLE')
  const errors = body.errors ?? []
  if (errors.some(({ extensions }) => extensions?.['code'] === 'UNAUTHENTICATED')) told.unauthenticated()
  return { data: body.data, errors }
}

export async function send(
  path: string,
  body: unknown,
  method = 'POST',
  credentials: RequestCredentials = 'same-origin',
): Promise<Response> {
  try {
    const answer = await fetch(path, {
      method,
      credentials,
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
