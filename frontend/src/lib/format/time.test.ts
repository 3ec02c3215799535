import { describe, expect, it } from 'vitest'
import { en } from '../words/en'
import { zh } from '../words/zh'
import { fromField, local, monthOf, sameDay, toField, until } from './time'

const at = (text: string) => Date.parse(text)
const now = at('2026-10-15T11:42:00Z') // 19:42 in Shanghai, a Thursday

describe('local', () => {
  it('is Shanghai time, wherever the reader is', () => {
    expect(local(at('2026-10-15T16:30:00Z'), now)).toMatchObject({ month: 10, day: 16, clock: '0:30', daysAway: 1 })
    expect(local(at('2026-12-31T16:00:00Z'), now)).toMatchObject({ year: 2027, thisYear: false })
    expect(sameDay(at('2026-10-15T15:59:59Z'), now)).toBe(true)
    expect(sameDay(at('2026-10-15T16:00:00Z'), now)).toBe(false)
  })
})

describe('times as people say them', () => {
  const says = (text: string) => [zh.time.when(local(at(text), now)), en.time.when(local(at(text), now))]

  it('names the near days', () => {
    expect(says('2026-10-15T11:30:00Z')).toEqual(['今天 19:30', 'today 19:30'])
    expect(says('2026-10-16T01:00:00Z')).toEqual(['明天 9:00', 'tomorrow 9:00'])
    expect(says('2026-10-17T01:00:00Z')).toEqual(['后天 9:00', 'Sat 17 Oct, 9:00'])
    expect(says('2026-10-14T01:00:00Z')).toEqual(['昨天 9:00', 'yesterday 9:00'])
  })

  it('names the date and weekday of the far ones, and the year when it is another', () => {
    expect(says('2026-10-31T08:00:00Z')).toEqual(['10 月 31 日 周六 16:00', 'Sat 31 Oct, 16:00'])
    expect(says('2027-01-03T08:00:00Z')).toEqual(['2027 年 1 月 3 日 16:00', '3 Jan 2027, 16:00'])
  })

  it('says a span once a day', () => {
    const from = local(at('2026-10-18T01:00:00Z'), now)
    const to = local(at('2026-10-18T04:00:00Z'), now)
    expect(zh.time.fromTo(from, to, true)).toBe('10 月 18 日 周日 9:00 到 12:00')
    expect(en.time.fromTo(from, to, true)).toBe('Sun 18 Oct, 9:00 to 12:00')
  })
})

describe('until', () => {
  const left = (text: string) => {
    const span = until(at(text), now)
    return span && [zh.time.left(span), en.time.left(span)]
  }

  it('gets finer as the end comes nearer', () => {
    expect(left('2026-10-27T12:00:00Z')).toEqual(['还有 12 天', '12 days left'])
    expect(left('2026-10-19T10:00:00Z')).toEqual(['还有 3 天 22 小时', '3 days 22 hours left'])
    expect(left('2026-10-16T11:42:00Z')).toEqual(['还有 1 天', '1 day left'])
    expect(left('2026-10-15T14:00:00Z')).toEqual(['还有 2 小时 18 分', '2 hours 18 min left'])
    expect(left('2026-10-15T11:42:20Z')).toEqual(['还有 1 分钟', '1 min left'])
  })

  it('is over at the very instant', () => {
    expect(left('2026-10-15T11:42:00Z')).toBeNull()
  })
})

describe('fields', () => {
  it('reads and writes Shanghai time', () => {
    expect(fromField('2026-10-31T16:00')).toBe('2026-10-31T08:00:00Z')
    expect(toField(at('2026-10-31T08:00:00Z'))).toBe('2026-10-31T16:00')
    expect(fromField('')).toBeNull()
    expect(fromField('2026-13-31T16:00')).toBeNull()
    expect(monthOf(at('2026-09-30T16:00:00Z'))).toBe('2026-10')
  })
})
