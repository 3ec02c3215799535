import { describe, expect, it } from 'vitest'
import { Crossing } from './crossing'

const steps = (...seen: [of: string, live: boolean, met: boolean][]) => {
  const crossing = new Crossing()
  return seen.map(([of, live, met]) => crossing.see({ of, live, met }))
}

describe('a threshold', () => {
  it('is crossed before those who saw it unmet, and stays so', () => {
    expect(steps(['a', false, false], ['a', true, false], ['a', true, true], ['a', true, true])).toEqual([false, false, true, true])
  })

  it('is not crossed again for those who come later', () => {
    expect(steps(['a', false, true], ['a', true, true])).toEqual([false, false])
  })

  it('was crossed while nobody looked, where only an old page shows it unmet', () => {
    expect(steps(['a', false, false], ['a', true, true])).toEqual([false, false])
    expect(steps(['a', false, false], ['a', false, true], ['a', true, true])).toEqual([false, false, false])
  })

  it('is crossed also where the page that was read anew says so first', () => {
    expect(steps(['a', true, false], ['a', false, true])).toEqual([false, true])
  })

  it('is one of each vote', () => {
    expect(steps(['a', true, false], ['b', true, true], ['a', true, true])).toEqual([false, false, false])
  })
})
