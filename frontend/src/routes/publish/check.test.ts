import { describe, expect, it } from 'vitest'
import {
  checkEntry,
  checkEvent,
  checkEventCorrection,
  checkNotice,
  checkNoticeCorrection,
  checkReversal,
  checkWithdrawal,
  EMPTY_ENTRY,
  EMPTY_EVENT,
  EMPTY_NOTICE,
  type EntryDraft,
  entryInput,
  eventCorrectionInput,
  type EventDraft,
  eventInput,
  type NoticeDraft,
  noticeCorrectionInput,
  noticeInput,
  passedNotice,
} from './check'
import type { WritingLimits } from './limits'

const limits: WritingLimits = {
  reason: 20,
  notice: { title: 12, body: 30 },
  event: { title: 12, place: 8, description: 20, capacity: 5000, maxPartySize: 20 },
  entry: {
    item: 12,
    counterparty: 6,
    voucher: 4,
    authorityClause: 10,
    reason: 8,
    amount: '1000000.00',
    date: '1990-01-01',
    income: ['PARKING_COMMON', 'OTHER'],
    expense: ['AUDIT'],
  },
}
const now = Date.parse('2026-10-15T11:42:00Z') // 19:42 in Shanghai

const notice: NoticeDraft = { ...EMPTY_NOTICE, title: '停水', body: '周日停水' }
const event: EventDraft = {
  ...EMPTY_EVENT,
  title: '第四届美邻节',
  place: '中心广场',
  starts: '2026-10-31T16:00',
  ends: '2026-10-31T20:00',
  capacity: '600',
  potluck: true,
}
const entry: EntryDraft = { ...EMPTY_ENTRY, date: '2026-10-15', category: 'AUDIT', item: '审计', amount: '12,800.5', vote: 'Vm90ZTox' }

describe('a notice', () => {
  const check = (changed: Partial<NoticeDraft>) => checkNotice({ ...notice, ...changed }, limits)

  it('needs a title and a text, nothing else', () => {
    expect(check({})).toEqual({})
    expect(check({ title: ' ', body: '' })).toEqual({ title: 'required', body: 'required' })
  })

  it('is as long as the server takes it, in the characters that the server counts', () => {
    expect(check({ title: '字'.repeat(12), body: '😀'.repeat(30) })).toEqual({})
    expect(check({ title: ` ${'字'.repeat(12)}\n` })).toEqual({})
    expect(check({ title: '字'.repeat(13), body: 'x'.repeat(31) })).toEqual({ title: { tooLong: 12 }, body: { tooLong: 30 } })
  })

  it('ends after it starts', () => {
    const ends = (until: string) => check({ from: '2026-10-18T09:00', until })
    expect(ends('2026-10-18T09:01')).toEqual({})
    expect(ends('2026-10-18T09:00')).toEqual({ until: 'endsBeforeStart' })
    expect(ends('2026-10-18T08:00')).toEqual({ until: 'endsBeforeStart' })
    expect(check({ until: '2026-10-18T08:00' })).toEqual({})
  })

  it('says that its time has passed, and may be about what was', () => {
    const passed = (from: string, until = '') => passedNotice({ ...notice, from, until }, now)
    expect(passed('2025-10-18T09:00', '2025-10-18T12:00')).toEqual({ from: true, until: true })
    expect(passed('2026-10-15T19:42')).toEqual({ from: true, until: false })
    expect(passed('2026-10-15T19:43', '2026-10-15T20:00')).toEqual({ from: false, until: false })
    expect(passed('', '')).toEqual({ from: false, until: false })
  })

  it('is sent as it was typed, in Shanghai time', () => {
    const typed = { ...notice, title: '  停水 ', body: '停水\n' + '字'.repeat(30_000), from: '2026-10-18T09:00' }
    expect(noticeInput(typed)).toMatchObject({
      title: typed.title,
      body: typed.body,
      effectiveFrom: '2026-10-18T01:00:00Z',
      effectiveUntil: null,
    })
  })
})

describe('an event', () => {
  const check = (changed: Partial<EventDraft>) => checkEvent({ ...event, ...changed }, limits, now)

  it('may be sent when it is whole', () => {
    expect(check({})).toEqual({})
    expect(eventInput(event)).toMatchObject({ startsAt: '2026-10-31T08:00:00Z', capacity: 600, signUpClosesAt: null })
    expect(eventInput({ ...event, capacity: '' }).capacity).toBeNull()
    expect(eventInput({ ...event, capacity: '１,２００' }).capacity).toBe(1200)
  })

  it('says what is wrong, field by field', () => {
    expect(check({ title: '', ends: '2026-10-31T16:00', capacity: '0' })).toEqual({
      title: 'required',
      ends: 'endsBeforeStart',
      capacity: 'numberWrong',
    })
    expect(check({ starts: '', signUpCloses: 'x' })).toEqual({ starts: 'required', signUpCloses: 'timeWrong' })
    expect(check({ signUpCloses: '2026-10-31T17:00' })).toEqual({ signUpCloses: 'closesAfterStart' })
    expect(check({ signUpCloses: '2026-10-31T16:00' })).toEqual({})
    expect(check({ place: '字'.repeat(9), description: '字'.repeat(21) })).toEqual({
      place: { tooLong: 8 },
      description: { tooLong: 20 },
    })
  })

  it('lies ahead', () => {
    expect(check({ starts: '2025-10-31T16:00', ends: '2025-10-31T20:00' })).toEqual({ starts: 'past', ends: 'past' })
    expect(check({ starts: '2026-10-15T19:42' })).toEqual({ starts: 'past' })
    expect(check({ starts: '2026-10-15T19:43' })).toEqual({})
    expect(check({ signUpCloses: '2026-10-15T19:00' })).toEqual({ signUpCloses: 'past' })
  })

  it('has no more places than the server takes, and a number that is not cut', () => {
    expect(check({ capacity: '5000' })).toEqual({})
    expect(check({ capacity: '5001' })).toEqual({ capacity: { tooMany: 5000 } })
    expect(check({ capacity: '1000000' })).toEqual({ capacity: { tooMany: 5000 } })
    for (const capacity of ['-1', '1.5', '1e3', '12,34', 'x', '99999999999999999999']) {
      expect(check({ capacity })).toEqual({ capacity: 'numberWrong' })
    }
  })
})

describe('an entry', () => {
  const check = (changed: Partial<EntryDraft>) => checkEntry({ ...entry, ...changed }, limits, now)

  it('may be sent when it is whole, with its exact amount', () => {
    expect(check({})).toEqual({})
    expect(entryInput(entry)).toMatchObject({ amount: '12800.50', authorityVoteId: 'Vm90ZTox', authorityClause: null, voucher: null })
  })

  it('belongs to a day until today, by the clock of the estate', () => {
    expect(check({ date: '' })).toEqual({ date: 'required' })
    expect(check({ date: '2026-10-16' })).toEqual({ date: 'future' })
    expect(checkEntry({ ...entry, date: '2026-10-16' }, limits, Date.parse('2026-10-15T16:00:00Z'))).toEqual({})
    expect(check({ date: '1989-12-31' })).toEqual({ date: { tooEarly: '1990-01-01' } })
    expect(check({ date: '0026-10-15' })).toEqual({ date: { tooEarly: '1990-01-01' } })
    expect(check({ date: '20266-10-15' })).toEqual({ date: 'dateWrong' })
  })

  it('has an amount that nobody rounds', () => {
    expect(check({ amount: '' })).toEqual({ amount: 'required' })
    expect(check({ amount: '0.00' })).toEqual({ amount: 'amountZero' })
    expect(check({ amount: '1000000' })).toEqual({})
    expect(check({ amount: '1000000.01' })).toEqual({ amount: { tooMuch: 100000000n } })
    for (const amount of ['1.005', '-1', '1e3', '1,23', 'x']) expect(check({ amount })).toEqual({ amount: 'amountWrong' })
  })

  it('stands on one side of the book', () => {
    expect(check({ direction: 'INCOME' })).toEqual({ category: 'required' })
    expect(check({ direction: 'INCOME', category: 'OTHER' })).toEqual({})
    expect(check({ category: '' })).toEqual({ category: 'required' })
  })

  it('says what allows it, or that nothing does', () => {
    expect(check({ vote: '' })).toEqual({ vote: 'voteMissing' })
    expect(check({ authority: 'clause', clause: '' })).toEqual({ clause: 'required' })
    expect(check({ authority: 'clause', clause: '字'.repeat(11) })).toEqual({ clause: { tooLong: 10 } })
    const clause = { ...entry, authority: 'clause' as const, clause: '合同 12' }
    expect(entryInput(clause)).toMatchObject({ authorityVoteId: null, authorityClause: '合同 12' })
    const none = { ...entry, authority: 'none' as const, clause: '合同 12' }
    expect(checkEntry(none, limits, now)).toEqual({})
    expect(entryInput(none)).toMatchObject({ authorityVoteId: null, authorityClause: null })
  })

  it('is no longer than the server takes it', () => {
    expect(check({ item: 'x'.repeat(13), counterparty: 'x'.repeat(7), voucher: 'x'.repeat(5) })).toEqual({
      item: { tooLong: 12 },
      counterparty: { tooLong: 6 },
      voucher: { tooLong: 4 },
    })
  })
})

it('a reversal needs its reason', () => {
  expect(checkReversal({ reason: ' ' }, limits)).toEqual({ reason: 'required' })
  expect(checkReversal({ reason: 'x'.repeat(9) }, limits)).toEqual({ reason: { tooLong: 8 } })
  expect(checkReversal({ reason: '写错了' }, limits)).toEqual({})
})

describe('a correction', () => {
  const was = { title: '停水', body: '周日停水', from: '2026-10-31T16:00', until: '', reason: '' }
  const times = { effectiveFrom: '2026-10-31T08:00:30Z', effectiveUntil: null }

  it('is written like what it corrects, and its reason may be left out', () => {
    expect(checkNoticeCorrection(was, limits)).toEqual({})
    expect(checkNoticeCorrection({ ...was, title: '', until: was.from, reason: 'x'.repeat(21) }, limits)).toEqual({
      title: 'required',
      until: 'endsBeforeStart',
      reason: { tooLong: 20 },
    })
    const words = { title: '茶', description: '', place: '', reason: 'x'.repeat(21) }
    expect(checkEventCorrection(words, limits)).toEqual({ place: 'required', reason: { tooLong: 20 } })
  })

  it('says only what is not as it was', () => {
    const nothing = { title: null, body: null, times: null }
    expect(noticeCorrectionInput({ ...was, reason: '写错了' }, was, times)).toEqual(nothing)
    expect(noticeCorrectionInput({ ...was, body: '周六停水' }, was, times)).toEqual({ ...nothing, body: '周六停水' })
    const event = { title: '茶', description: '来', place: '亭', reason: '' }
    expect(eventCorrectionInput({ ...event, description: '' }, event)).toEqual({ title: null, description: '', place: null })
  })

  it('leaves a time that was not touched exact to the second', () => {
    const { times: moved } = noticeCorrectionInput({ ...was, until: '2026-10-31T18:00' }, was, times)
    expect(moved).toEqual({ effectiveFrom: '2026-10-31T08:00:30Z', effectiveUntil: '2026-10-31T10:00:00Z' })
    expect(noticeCorrectionInput({ ...was, from: '' }, was, times).times).toEqual({ effectiveFrom: null, effectiveUntil: null })
  })
})

it('a withdrawal needs its reason', () => {
  expect(checkWithdrawal({ reason: ' ' }, limits)).toEqual({ reason: 'required' })
  expect(checkWithdrawal({ reason: 'x'.repeat(21) }, limits)).toEqual({ reason: { tooLong: 20 } })
  expect(checkWithdrawal({ reason: '改期' }, limits)).toEqual({})
})
