import { describe, expect, it } from 'vitest'
import { averageOf, paceOf, votingDays } from './pace'
import type { Axis, Gate } from './reading'

const at = (text: string) => Date.parse(text)
const NOW = at('2026-11-30T19:42:00+08:00')
const OPENS = '2026-11-23T01:00:00Z' // 9:00 in Shanghai
const CLOSES = '2026-12-06T12:00:00Z' // 20:00

const axis = (missing: bigint): Axis => ({ have: 0n, of: 0n, missing, met: missing === 0n })
const gate = (heads: bigint, area: bigint): Gate => ({
  need: { text: '2/3', numerator: 2n, denominator: 3n, exceeded: false },
  clause: '',
  heads: axis(heads),
  area: axis(area),
  met: heads === 0n && area === 0n,
})

describe('the pace still needed', () => {
  it('is what each whole day has to bring, rounded up', () => {
    expect(paceOf(gate(507n, 5691206n), CLOSES, NOW)).toEqual({
      from: at('2026-12-01T00:00:00+08:00'),
      to: at('2026-12-06T00:00:00+08:00'),
      days: 6,
      heads: 85n,
      area: 948535n,
    })
    expect(paceOf(gate(510n, 1n), CLOSES, NOW)).toMatchObject({ heads: 85n, area: 1n })
    expect(paceOf(gate(511n, 0n), CLOSES, NOW)).toMatchObject({ heads: 86n, area: 0n })
  })

  it('does not count what is left of today, whatever the hour', () => {
    for (const clock of ['00:00:00', '12:00:00', '23:59:59']) {
      expect(paceOf(gate(600n, 0n), CLOSES, at(`2026-11-30T${clock}+08:00`))).toMatchObject({ days: 6, heads: 100n })
    }
    expect(paceOf(gate(600n, 0n), CLOSES, at('2026-12-01T00:00:00+08:00'))).toMatchObject({ days: 5, heads: 120n })
  })

  it('counts the last day only where most of it is left to vote', () => {
    const days = (closes: string) => paceOf(gate(60n, 0n), closes, NOW)?.days
    expect(days('2026-12-06T16:00:00Z')).toBe(6) // 24:00 of the 6th
    expect(days('2026-12-06T04:00:00Z')).toBe(6) // noon
    expect(days('2026-12-06T03:59:59Z')).toBe(5)
    expect(days('2026-12-05T16:00:01Z')).toBe(5) // a second after midnight
  })

  it('is over where enough take part, and on the last day', () => {
    expect(paceOf(gate(0n, 0n), CLOSES, NOW)).toBeNull()
    expect(paceOf(gate(1n, 0n), CLOSES, at('2026-12-06T00:00:00+08:00'))).toBeNull()
    expect(paceOf(gate(1n, 0n), CLOSES, at('2026-12-09T00:00:00+08:00'))).toBeNull()
    expect(paceOf(gate(1n, 0n), CLOSES, at('2026-12-05T23:59:59+08:00'))).toMatchObject({ days: 1, heads: 1n })
  })
})

describe('the days of the voting', () => {
  const turnout = [
    { day: '2026-11-23', heads: 118 },
    { day: '2026-11-25', heads: 71 },
    { day: '2026-11-30', heads: 34 },
  ]

  it('are all there, those on which nobody came too', () => {
    const days = votingDays(turnout, { opensAt: OPENS, closesAt: CLOSES }, NOW)
    expect(days).toHaveLength(14)
    expect(days.map(({ heads }) => heads).slice(0, 8)).toEqual([118, 0, 71, 0, 0, 0, 0, 34])
    expect(days.map(({ when }) => when[0]).join('')).toBe('ppppppptcccccc')
    expect(days[0]!.at).toBe(at('2026-11-23T00:00:00+08:00'))
    expect(averageOf(days)).toEqual({ days: 7, heads: 27 })
  })

  it('begin with the opening and end before the instant of the close', () => {
    const days = (opensAt: string, closesAt: string) => votingDays([], { opensAt, closesAt }, NOW).length
    expect(days('2026-11-22T16:00:00Z', '2026-11-23T16:00:00Z')).toBe(1) // 0:00 to 24:00 of one day
    expect(days('2026-11-22T15:59:59Z', '2026-11-23T16:00:01Z')).toBe(3)
    expect(days('2026-12-31T01:00:00Z', '2027-01-01T01:00:00Z')).toBe(2)
  })

  it('have no average before the first one is over', () => {
    expect(averageOf(votingDays(turnout, { opensAt: OPENS, closesAt: CLOSES }, at('2026-11-23T20:00:00+08:00')))).toBeNull()
  })
})
