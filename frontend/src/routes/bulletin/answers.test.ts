import { describe, expect, it } from 'vitest'
import type { LocalTime } from '$lib/format/time'
import type { Axis, Gate, Standing, TallyReading } from '$lib/tally/reading'
import { en } from '$lib/words/en'
import { zh } from '$lib/words/zh'
import { eventAnswer, ownAnswer, ownCase, voteAnswer } from './answers'

const axis = (missing: bigint): Axis => ({ have: 0n, of: 1n, missing, met: missing === 0n })
const gate = (heads: bigint, area: bigint): Gate => ({
  need: { text: '2/3', numerator: 2n, denominator: 3n, exceeded: false },
  clause: '',
  heads: axis(heads),
  area: axis(area),
  met: heads === 0n && area === 0n,
})
const reading = (standing: Standing, turnout = gate(0n, 0n), agreement = gate(0n, 0n)) =>
  ({ standing, participation: turnout, agreement }) as TallyReading
const vote = (found: TallyReading | undefined, status = 'OPEN') => {
  const answer = voteAnswer({ status, reading: found, answered: 214n, opens: '周五' }, zh.board)
  return `${answer.label} ${answer.figure}${answer.done ? ' ✓' : ''}`
}

describe('what is missing of a vote', () => {
  it.each([
    [reading('TOO_FEW', gate(507n, 5691206n)), '投票还差 *507* 户'],
    [reading('TOO_FEW', gate(0n, 5691206n)), '投票还差 *56,912.06* ㎡'],
    [reading('NOT_AGREED', gate(0n, 0n), gate(12n, 4n)), '赞同还差 *12* 户'],
    [reading('NOT_AGREED', gate(0n, 0n), gate(0n, 4n)), '赞同还差 *0.04* ㎡'],
    [reading('HOLDS'), '这次表决 *够数了* ✓'],
    [reading('ENOUGH_HIDDEN'), '这次表决 *够数了* ✓'],
    [reading('COUNTING'), '这次表决 *正在计票*'],
    [undefined, '征求意见 *214* 户填了'],
  ])('%#', (found, said) => expect(vote(found)).toBe(said))

  it('is when it opens, before that', () => {
    expect(vote(reading('NOT_YET_OPEN', gate(1102n, 1n)), 'ANNOUNCED')).toBe('投票开始 *周五*')
  })
})

describe('one’s own ballot', () => {
  const entry = (mayCast: boolean, ballot: object | null) => ({ mayCast, ballot })
  const answer = (signedIn: boolean, ...entries: { mayCast: boolean; ballot: object | null }[]) => {
    const which = ownCase(signedIn, entries)
    return [which, ownAnswer(which, entries, false, zh.board).figure]
  }

  it('adapts to who asks', () => {
    expect(answer(false)).toEqual(['stranger', '*登录再投*'])
    expect(answer(true)).toEqual(['notOnRoll', '*业主才投*'])
    expect(answer(true, entry(true, null))).toEqual(['waiting', '*还没投*'])
    expect(answer(true, entry(true, {}), entry(true, null))).toEqual(['waiting', '投了 *1/2*'])
    expect(answer(true, entry(true, {}), entry(true, {}))).toEqual(['done', '*投了*'])
    expect(answer(true, entry(false, null))).toEqual(['coOwner', '*共有人投*'])
    expect(answer(true, entry(false, {}))).toEqual(['done', '*投了*'])
    expect(answer(true, entry(false, null), entry(true, {}))).toEqual(['done', '*投了*'])
  })

  it('is filled in, not cast, where one is only asked', () => {
    expect(ownAnswer('done', [entry(true, {})], true, zh.board).figure).toBe('*填了*')
    expect(ownAnswer('waiting', [entry(true, null)], true, en.board).figure).toBe('*not yet*')
  })
})

describe('the next gathering', () => {
  const at = (daysAway: number) => ({ daysAway, weekday: 6, month: 12, day: 5, year: 2026, thisYear: true }) as LocalTime
  const event = { title: '第四届美城美邻节', at: at(5), phase: 'coming' as const, signedUp: 487, placesLeft: 113, own: null }
  const says = (change: Partial<Parameters<typeof eventAnswer>[0] & object>) => {
    const answer = eventAnswer({ ...event, ...change }, zh.board)
    return `${answer.label} ${answer.figure}${answer.done ? ' ✓' : ''}`
  }

  it('says what one wants to know of it', () => {
    expect(says({})).toBe('周六美邻节还有 *113* 位')
    expect(says({ title: '儿童跳蚤市场' })).toBe('周六活动还有 *113* 位')
    expect(says({ at: at(0) })).toBe('今天美邻节还有 *113* 位')
    expect(says({ at: at(8) })).toBe('美邻节还有 *113* 位')
    expect(says({ placesLeft: 0 })).toBe('周六美邻节 *坐满了*')
    expect(says({ placesLeft: null })).toBe('周六美邻节 *487* 人来')
    expect(says({ phase: 'closed' })).toBe('周六美邻节 *报名截止*')
    expect(says({ phase: 'running', at: at(0) })).toBe('今天美邻节 *正在进行*')
    expect(says({ own: 3 })).toBe('周六您家 *3* 人 ✓')
    expect(says({ own: 3, placesLeft: 0 })).toBe('周六您家 *3* 人 ✓')
    expect(eventAnswer(null, zh.board).figure).toBe('*还没有*')
  })
})
