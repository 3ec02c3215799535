import { describe, expect, it } from 'vitest'
import { byYear, monthsOf, twoYears } from './months'

describe('the months of a book', () => {
  it('run without gaps, newest first', () => {
    expect(monthsOf('2025-11', '2026-02', '2026-01')).toEqual(['2026-02', '2026-01', '2025-12', '2025-11'])
    expect(monthsOf('2026-05', '2026-05', '2026-05')).toEqual(['2026-05'])
    expect(monthsOf('1990-01', '2026-11', '1990-01')).toHaveLength(36 * 12 + 11)
  })

  it('hold the one that was asked for, before the first and after the last', () => {
    expect(monthsOf('2026-01', '2026-02', '2030-07')).toEqual(['2030-07', '2026-02', '2026-01'])
    expect(monthsOf('2026-01', '2026-02', '2019-12')).toEqual(['2026-02', '2026-01', '2019-12'])
  })

  it('are found by their years', () => {
    expect(byYear(['2026-02', '2026-01', '2025-12'])).toEqual([['2026', ['2026-02', '2026-01']], ['2025', ['2025-12']]])
  })

  it('are shown two years at a time', () => {
    expect(twoYears('2026-06')).toEqual({ years: ['2025', '2026'], before: '2027-01' })
    expect(twoYears('2025-12').before).toBe('2026-01')
    expect(twoYears('9999-01').before).toBeNull()
  })
})
