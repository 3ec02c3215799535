import { describe, expect, it } from 'vitest'
import { EXAMPLES, type Found, ofItsOwn, tabs, variablesOf } from './examples'

const edges = <T>(...nodes: T[]) => ({ edges: nodes.map((node) => ({ node })) })
const NOW = Date.parse('2026-11-26T12:00:00Z')
const event = (id: string, closes: string, placesLeft: number | null) => ({
  id,
  signUpClosesAt: closes,
  attendance: { placesLeft },
})

const found: Found = {
  communities: edges(
    { id: 'quiet', votes: edges<{ id: string }>(), events: edges<never>(), bulletin: { edges: [] } },
    {
      id: 'spring',
      votes: edges({ id: 'pump' }),
      events: edges(
        event('begun', '2026-11-26T11:00:00Z', null),
        event('full', '2026-11-28T11:00:00Z', 1),
        event('picnic', '2026-11-28T11:00:00Z', 8),
      ),
      bulletin: { edges: [{ cursor: 'new' }, { cursor: 'old' }] },
    },
  ),
}

describe('the examples of the explorer', () => {
  it('are about a community in which a vote is open, and an event that takes two more', () => {
    expect(variablesOf(found, NOW)).toEqual({
      community: 'spring',
      vote: 'pump',
      event: 'picnic',
      key: 'explorer-picnic',
      after: 'old',
    })
  })

  it('carry the variables that they declare', () => {
    const made = tabs(variablesOf(found, NOW))
    expect(made.map((tab) => tab.query)).toEqual(EXAMPLES)
    expect(made.map((tab) => Object.keys(JSON.parse(tab.variables ?? '{}')))).toEqual([
      [],
      ['vote'],
      ['community', 'after'],
      ['community', 'vote'],
      ['event', 'key'],
      ['vote'],
    ])
  })

  it('are left out where there is nothing that they could be about', () => {
    const nothing = tabs(variablesOf(null, NOW))
    expect(nothing).toEqual([{ query: EXAMPLES[0] }])
    const noVote: Found = { communities: edges(found.communities.edges[0]!.node) }
    expect(tabs(variablesOf(noVote, NOW)).map((tab) => tab.query)).toEqual([EXAMPLES[0], EXAMPLES[2]])
  })

  it('are run by a name of their own, and as what they are', () => {
    const own = { query: 'query One { a } subscription Two { b }', operationName: 'Two' }
    expect(ofItsOwn(own)).toMatchObject({ params: own, documentAST: { kind: 'Document' } })
    expect(ofItsOwn({ ...own, operationName: 'Before' }).params.operationName).toBe('One')
    expect(ofItsOwn({ query: '{ a }', operationName: 'Before' }).params.operationName).toBeNull()
    const wrong = { query: '{', operationName: 'Before' }
    expect(ofItsOwn(wrong)).toEqual({ params: wrong })
  })
})
