import { describe, expect, it } from 'vitest'
import { en } from '../words/en'
import { zh } from '../words/zh'
import { fromField, local, localEnd, monthOf, sameDay, stretch, toField, until } from './time'

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

describe('an end at midnight', () => {
  const says = (text: string, then = now) => [zh.time.when(localEnd(at(text), then)), en.time.when(localEnd(at(text), then))]
  const spans = (from: string, to: string) => [zh, en].map((words) => words.time.fromTo(...stretch(at(from), at(to), now)))

  it('is 24:00 of the day that is over', () => {
    expect(says('2026-10-16T16:00:00Z', at('2026-10-16T02:00:00Z'))).toEqual(['今天 24:00', 'today 24:00 (midnight)'])
    expect(says('2026-10-15T16:00:00Z')).toEqual(['今天 24:00', 'today 24:00 (midnight)'])
    expect(says('2026-10-16T16:00:00Z')).toEqual(['明天 24:00', 'tomorrow 24:00 (midnight)'])
    expect(says('2026-10-14T16:00:00Z')).toEqual(['昨天 24:00', 'yesterday 24:00 (midnight)'])
    expect(says('2026-10-31T16:00:00Z')).toEqual(['10 月 31 日 周六 24:00', 'Sat 31 Oct, 24:00 (midnight)'])
    expect(zh.time.day(localEnd(at('2026-10-31T16:00:00Z'), now))).toBe('10 月 31 日 周六')
  })

  it('stays in the old year at its end, also once it is over', () => {
    expect(says('2026-12-31T16:00:00Z')).toEqual(['12 月 31 日 周四 24:00', 'Thu 31 Dec, 24:00 (midnight)'])
    expect(says('2026-12-31T16:00:00Z', at('2026-12-31T16:00:01Z'))).toEqual(['昨天 24:00', 'yesterday 24:00 (midnight)'])
    expect(says('2026-12-31T16:00:00Z', at('2027-01-09T16:00:01Z'))).toEqual(['2026 年 12 月 31 日 24:00', '31 Dec 2026, 24:00 (midnight)'])
    expect(says('2028-02-29T16:00:00Z')[0]).toBe('2028 年 2 月 29 日 24:00')
  })

  it('is nothing else: a second off is the clock as it stands, and a beginning stays 0:00', () => {
    expect(says('2026-10-15T15:59:59Z')[0]).toBe('今天 23:59')
    expect(says('2026-10-15T16:00:30Z')[0]).toBe('明天 0:00')
    expect(zh.time.when(local(at('2026-10-15T16:00:00Z'), now))).toBe('明天 0:00')
  })

  it('keeps a stretch within its day', () => {
    expect(spans('2026-10-18T11:00:00Z', '2026-10-18T16:00:00Z')).toEqual(['10 月 18 日 周日 19:00 到 24:00', 'Sun 18 Oct, 19:00 to 24:00 (midnight)'])
    expect(spans('2026-10-17T16:00:00Z', '2026-10-18T16:00:00Z')[0]).toBe('10 月 18 日 周日 0:00 到 24:00')
    expect(spans('2026-10-15T16:00:00Z', '2026-10-18T16:00:00Z')[0]).toBe('明天 0:00 到 10 月 18 日 周日 24:00')
    expect(spans('2026-10-18T16:00:00Z', '2026-10-18T16:00:00Z')[0]).toBe('10 月 19 日 周一 0:00 到 0:00')
    expect(spans('2026-12-31T10:00:00Z', '2026-12-31T16:00:00Z')[0]).toBe('12 月 31 日 周四 18:00 到 24:00')
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

  it('never says more time than there is, nor sixty minutes or twenty-four hours', () => {
    expect(left('2026-10-15T12:41:59Z')).toEqual(['还有 59 分钟', '59 min left'])
    expect(left('2026-10-15T12:42:00Z')).toEqual(['还有 1 小时', '1 hour left'])
    expect(left('2026-10-15T11:43:59Z')).toEqual(['还有 1 分钟', '1 min left'])
    expect(left('2026-10-16T11:41:59Z')).toEqual(['还有 23 小时 59 分', '23 hours 59 min left'])
    expect(left('2026-10-22T11:41:59Z')).toEqual(['还有 6 天 23 小时', '6 days 23 hours left'])
    for (let seconds = 1; seconds < 9 * 86_400; seconds += 59) {
      const { days, hours, minutes } = until(now + seconds * 1000, now)!
      expect(hours < 24 && minutes < 60).toBe(true)
      if (seconds >= 60) expect((days * 24 + hours) * 3600 + minutes * 60).toBeLessThanOrEqual(seconds)
    }
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
