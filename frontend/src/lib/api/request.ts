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

/** One query. What a right hides comes as null beside its error; only no data at all is a refusal. */
export async function request<Result, Variables>(
  document: TadaDocumentNode<Result, Variables>,
  variables: Variables,
): Promise<Answer<Result>> {
  const { data, errors } = await answerTo(document, variables)
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
  const { data, errors } = await answerTo(document, variables)
  if (!data || Object.values(data).includes(null)) throw refusalFrom(errors)
  return data as Done<Result>
}

async function answerTo<Result, Variables>(document: TadaDocumentNode<Result, Variables>, variables: Variables) {
  const answer = await send('/graphql', { query: textOf(document as DocumentNode), variables })
  const body: unknown = await answer.json().catch(() => null)
  if (!isResult(body)) throw new Refusal(answer.ok ? 'INTERNAL' : 'UNREACHABLE')
  return { data: body.data, errors: body.errors ?? [] }
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
