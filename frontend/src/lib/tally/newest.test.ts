import { expect, it } from 'vitest'
import { newest } from './newest'

const tally = (version: number, voteId = 'v') => ({ voteId, version })

it('is what came over the line since the page was read', () => {
  expect(newest(tally(4), tally(5))).toEqual(tally(5))
})

it('is never older than what was read', () => {
  const read = tally(5)
  expect(newest(read, tally(4))).toBe(read)
  expect(newest(read, tally(5))).toBe(read)
})

it('is never that of another vote', () => {
  expect(newest(tally(4), tally(9, 'w'))).toEqual(tally(4))
})

it('is what was read before anything is heard', () => {
  expect(newest(tally(4), null)).toEqual(tally(4))
})
