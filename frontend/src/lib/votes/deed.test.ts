import { describe, expect, it } from 'vitest'
import { hasReceipt, voteDeed } from './deed'

const ballot = {}
const waiting = { mayCast: true, ballot: null }
const cast = { mayCast: true, ballot }
const anothers = { mayCast: false, ballot: null }
const stranger = { settled: true, viewer: null }
const somebody = { settled: true, viewer: {} }

describe('what one has to do with a vote', () => {
  it('is to cast only for whoever has a ballot left of their own', () => {
    expect(voteDeed([waiting], somebody)).toBe('cast')
    expect(voteDeed([cast, waiting], somebody)).toBe('cast')
    expect(voteDeed([anothers, waiting], somebody)).toBe('cast')
    expect(voteDeed([cast], somebody)).toBe('done')
    expect(voteDeed([cast, anothers], somebody)).toBe('done')
    expect(voteDeed([anothers], somebody)).toBe('otherCasts')
    expect(voteDeed([{ mayCast: false, ballot }], somebody)).toBe('otherCasts')
  })

  it('is nothing for those who are not on the roll, and to sign in for those who might be', () => {
    expect(voteDeed([], somebody)).toBe('notOnRoll')
    expect(voteDeed([], stranger)).toBe('signIn')
  })

  it('is unknown while the page is another reader\'s: nobody is refused, and nobody shown another one\'s', () => {
    for (const viewer of [null, {}])
      for (const entries of [[], [waiting], [cast], [anothers]]) expect(voteDeed(entries, { settled: false, viewer })).toBe('unknown')
  })

  it('a receipt is there for whoever cast, and for the party of whoever did', () => {
    expect(hasReceipt([waiting, cast])).toBe(true)
    expect(hasReceipt([{ mayCast: false, ballot }])).toBe(true)
    expect(hasReceipt([waiting, anothers])).toBe(false)
  })
})
