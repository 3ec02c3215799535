import { serverClock } from '../live/clock.svelte'
import { textOf } from './document'
import { asRefusal, Refusal, refusalFrom } from './errors'
import { type TadaDocumentNode, written } from './graphql'

const PATIENCE = 20_000
/** Characters; what is longer goes as a body. */
const LONGEST_ADDRESS = 2_000

/** Who wants to know that the server takes us for nobody, wherever it says so. */
export const told = { unauthenticated: () => {} }

/** What was done through this page, successfully or not: what was read before may have changed by it. */
export const deeds = { done: 0 }

/** Ids of documents that the server, which is of another release, does not have: they go with their texts. */
const unknown = new Set<string>()

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
  const { data, errors, codes } = await answerTo(document, variables, credentials)
  if (!data) throw refusalFrom(errors)
  const withheld = codes.some((code) => /^(FORBIDDEN|UNAUTHENTICATED)$/.test(code))
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

/** What stands in an address is asked for by GET, under the document's id; all else goes as a body. */
async function answerTo<Result, Variables>(
  document: TadaDocumentNode<Result, Variables>,
  variables: Variables,
  credentials?: RequestCredentials,
) {
  const { id } = written(document)
  const address = id ? addressOf(id, variables) : ''
  if (id && !unknown.has(id) && address.length <= LONGEST_ADDRESS) {
    const result = await read(await send(address, undefined, 'GET', credentials))
    if (!result.codes.includes('DOCUMENT_UNKNOWN')) return result
    unknown.add(id)
  }
  return read(await send('/graphql', { query: textOf(written(document)), variables }, 'POST', credentials))
}

/** As GraphQL over HTTP writes it (appendix A), without what has no value. */
function addressOf(id: string, variables: unknown): string {
  const text = JSON.stringify(variables)
  return `/graphql?documentId=${id}${text === '{}' ? '' : `&variables=${encodeURIComponent(text)}`}`
}

async function read(answer: Response) {
  const body: unknown = await answer.json().catch(() => null)
  if (!isResult(body)) throw new Refusal(answer.ok ? 'INTERNAL' : 'UNREACHABLE')
  const errors = body.errors ?? []
  const codes = errors.map(({ extensions }) => String(extensions?.['code']))
  if (codes.includes('UNAUTHENTICATED')) told.unauthenticated()
  return { data: body.data, errors, codes }
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
