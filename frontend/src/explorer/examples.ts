/** The tabs that the explorer opens with. Each runs as it stands: its variables are ids of what is there. */

import { type DocumentNode, parse } from 'graphql'
import bulletin from './examples/bulletin.graphql?raw'
import ids from './examples/ids.graphql?raw'
import live from './examples/live.graphql?raw'
import mine from './examples/mine.graphql?raw'
import node from './examples/node.graphql?raw'
import signUp from './examples/sign-up.graphql?raw'
import today from './examples/today.graphql?raw'

export const EXAMPLES = [today, live, bulletin, mine, signUp, node]
export const IDS = ids

type Edges<T> = { edges: { node: T }[] }
export interface Found {
  communities: Edges<{
    id: string
    votes: Edges<{ id: string }>
    events: Edges<{ id: string; signUpClosesAt: string; attendance: { placesLeft: number | null } }>
    bulletin: { edges: { cursor: string }[] }
  }>
}

export type Variables = Record<string, string>
export interface Tab {
  query: string
  variables?: string
}

/** What the examples call `$community`, `$vote`, `$event`, `$key` and `$after`, as far as there is one. */
export function variablesOf(found: Found | null, now = Date.now()): Variables {
  const communities = found?.communities.edges.map((edge) => edge.node) ?? []
  const here = communities.find((community) => community.votes.edges.length) ?? communities[0]
  const open = here?.events.edges
    .map((edge) => edge.node)
    .find((event) => Date.parse(event.signUpClosesAt) > now && (event.attendance.placesLeft ?? 2) >= 2)
  return present({
    community: here?.id,
    vote: here?.votes.edges[0]?.node.id,
    event: open?.id,
    key: open && `explorer-${open.id}`,
    after: here?.bulletin.edges.at(-1)?.cursor,
  })
}

/** Each example with the variables it declares; one that lacks an id of something is left out. */
export function tabs(variables: Variables): Tab[] {
  return EXAMPLES.flatMap((query) => {
    const declared = [...query.matchAll(/\$(\w+): (\w+!?)/g)]
    if (declared.some(([, name, type]) => type?.endsWith('!') && !(name! in variables))) return []
    const given = present(Object.fromEntries(declared.map(([, name]) => [name!, variables[name!]])))
    return [Object.keys(given).length ? { query, variables: JSON.stringify(given, null, 2) } : { query }]
  })
}

interface Params {
  query: string
  operationName?: string | null
}

/** For a moment after a change of tabs GraphiQL still names the operation of the tab before, or shows its text. */
export function ofItsOwn<T extends Params>(params: T): { params: T; documentAST?: DocumentNode } {
  try {
    const documentAST = parse(params.query)
    const names = documentAST.definitions.flatMap((each) => ('operation' in each ? [each.name?.value ?? null] : []))
    const named = names.includes(params.operationName ?? null)
    return { params: named ? params : { ...params, operationName: names[0] ?? null }, documentAST }
  } catch {
    return { params } // the server says what is wrong with it
  }
}

function present(values: Record<string, string | undefined>): Variables {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
