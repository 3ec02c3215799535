import { describe, expect, it } from 'vitest'
import { checkEvent, checkNotice, eventInput, type EventDraft, noticeInput, type NoticeDraft } from './check'

const notice: NoticeDraft = { kind: 'NOTICE', title: '停水', body: '周日停水', from: '', until: '' }
const event: EventDraft = {
  title: '第四届美邻节',
  description: '',
  place: '中心广场',
  starts: '2026-10-31T16:00',
  ends: '2026-10-31T20:00',
  signUpCloses: '',
  capacity: '600',
  maxPartySize: 6,
  potluck: true,
}

describe('a notice', () => {
  it('needs a title and a text, nothing else', () => {
    expect(checkNotice(notice)).toEqual({})
    expect(checkNotice({ ...notice, title: ' ', body: '' })).toEqual({ title: 'required', body: 'required' })
  })

  it('ends after it starts', () => {
    expect(checkNotice({ ...notice, from: '2026-10-18T09:00', until: '2026-10-18T08:00' })).toEqual({ until: 'endsBeforeStart' })
  })

  it('is sent in Shanghai time', () => {
    expect(noticeInput({ ...notice, from: '2026-10-18T09:00' })).toMatchObject({ effectiveFrom: '2026-10-18T01:00:00Z', effectiveUntil: null })
  })
})

describe('an event', () => {
  it('may be sent when it is whole', () => {
    expect(checkEvent(event)).toEqual({})
    expect(eventInput(event)).toMatchObject({ startsAt: '2026-10-31T08:00:00Z', capacity: 600, signUpClosesAt: null })
    expect(eventInput({ ...event, capacity: '' }).capacity).toBeNull()
  })

  it('says what is wrong, field by field', () => {
    expect(checkEvent({ ...event, title: '', ends: '2026-10-31T16:00', capacity: '0' })).toEqual({
      title: 'required',
      ends: 'endsBeforeStart',
      capacity: 'numberWrong',
    })
    expect(checkEvent({ ...event, starts: '', signUpCloses: 'x' })).toEqual({ starts: 'required', signUpCloses: 'timeWrong' })
    expect(checkEvent({ ...event, signUpCloses: '2026-10-31T17:00' })).toEqual({ signUpCloses: 'closesAfterStart' })
  })
})
