import { hundredths } from '$lib/format/amount'
import { counted } from '$lib/format/count'
import { fromField, toField } from '$lib/format/time'
import type { WritingLimits } from './limits'
import { amountInput, fen, wholeNumber } from './typed'

type Plain =
  | 'required'
  | 'timeWrong'
  | 'dateWrong'
  | 'endsBeforeStart'
  | 'closesAfterStart'
  | 'past'
  | 'future'
  | 'numberWrong'
  | 'amountWrong'
  | 'amountZero'
  | 'voteMissing'

export type Problem = Plain | { tooLong: number } | { tooMany: number } | { tooMuch: bigint } | { tooEarly: string }

export interface NoticeDraft {
  kind: 'NOTICE' | 'DISPLAY'
  title: string
  body: string
  from: string
  until: string
}

export interface EventDraft {
  title: string
  description: string
  place: string
  starts: string
  ends: string
  signUpCloses: string
  capacity: string
  maxPartySize: number
  potluck: boolean
}

export interface EntryDraft {
  date: string
  direction: 'INCOME' | 'EXPENSE'
  category: string
  item: string
  amount: string
  counterparty: string
  voucher: string
  authority: 'vote' | 'clause' | 'none'
  vote: string
  clause: string
}

export interface ReversalDraft {
  reason: string
}

/** What a notice shall say instead, and why. */
export interface NoticeCorrectionDraft {
  title: string
  body: string
  from: string
  until: string
  reason: string
}

export interface EventCorrectionDraft {
  title: string
  description: string
  place: string
  reason: string
}

export interface WithdrawalDraft {
  reason: string
}

export const EMPTY_NOTICE: NoticeDraft = { kind: 'NOTICE', title: '', body: '', from: '', until: '' }

export const EMPTY_EVENT: EventDraft = {
  title: '',
  description: '',
  place: '',
  starts: '',
  ends: '',
  signUpCloses: '',
  capacity: '',
  maxPartySize: 6,
  potluck: false,
}

export const EMPTY_ENTRY: EntryDraft = {
  date: '',
  direction: 'EXPENSE',
  category: '',
  item: '',
  amount: '',
  counterparty: '',
  voucher: '',
  authority: 'vote',
  vote: '',
  clause: '',
}

export type Problems<Draft> = Partial<Record<keyof Draft, Problem>>

type Checked = Problem | undefined

const missing = (text: string): Checked => (text.trim() ? undefined : 'required')
const long = (text: string, most: number): Checked => (counted(text) > most ? { tooLong: most } : undefined)
const neededText = (text: string, most: number) => missing(text) ?? long(text, most)
const optionalTime = (value: string): Checked => (value && !fromField(value) ? 'timeWrong' : undefined)
const neededTime = (value: string): Checked => (!value ? 'required' : fromField(value) ? undefined : 'timeWrong')
const before = (one: string, other: string) => !!one && !!other && one < other
const passed = (value: string, now: number) => Date.parse(fromField(value) ?? '') <= now

/** Only what is wrong, by field: nothing means that it may be sent. */
function found<Draft>(problems: { [Name in keyof Draft]?: Checked }): Problems<Draft> {
  return Object.fromEntries(Object.entries(problems).filter(([, problem]) => problem)) as Problems<Draft>
}

export function checkNotice({ title, body, from, until }: NoticeDraft, limits: WritingLimits): Problems<NoticeDraft> {
  return found<NoticeDraft>({
    title: neededText(title, limits.notice.title),
    body: neededText(body, limits.notice.body),
    from: optionalTime(from),
    until: optionalTime(until) ?? (until && until <= from ? 'endsBeforeStart' : undefined),
  })
}

/** A notice may tell of what was; but a year that is typed wrong is seen here before everybody sees it. */
export function passedNotice({ from, until }: NoticeDraft, now: number): { from: boolean; until: boolean } {
  return { from: passed(from, now), until: passed(until, now) }
}

export function checkEvent(draft: EventDraft, limits: WritingLimits, now: number): Problems<EventDraft> {
  const { title, place, description, starts, ends, signUpCloses, capacity } = draft
  const most = limits.event
  return found<EventDraft>({
    title: neededText(title, most.title),
    place: neededText(place, most.place),
    description: long(description, most.description),
    starts: neededTime(starts) ?? (passed(starts, now) ? 'past' : undefined),
    ends: neededTime(ends) ?? (starts && ends <= starts ? 'endsBeforeStart' : passed(ends, now) ? 'past' : undefined),
    signUpCloses:
      optionalTime(signUpCloses) ??
      (passed(signUpCloses, now) ? 'past' : before(starts, signUpCloses) ? 'closesAfterStart' : undefined),
    capacity: capacity.trim() ? places(capacity, most.capacity) : undefined,
  })
}

function places(text: string, most: number): Checked {
  const number = wholeNumber(text)
  if (!number) return 'numberWrong'
  return number > most ? { tooMany: most } : undefined
}

export function checkEntry(draft: EntryDraft, limits: WritingLimits, now: number): Problems<EntryDraft> {
  const most = limits.entry
  const side = draft.direction === 'INCOME' ? most.income : most.expense
  return found<EntryDraft>({
    date: day(draft.date, most.date, now),
    category: side.some((category) => category === draft.category) ? undefined : 'required',
    item: neededText(draft.item, most.item),
    amount: missing(draft.amount) ?? money(draft.amount, hundredths(most.amount)),
    counterparty: long(draft.counterparty, most.counterparty),
    voucher: long(draft.voucher, most.voucher),
    vote: draft.authority === 'vote' && !draft.vote ? 'voteMissing' : undefined,
    clause: draft.authority === 'clause' ? neededText(draft.clause, most.authorityClause) : undefined,
  })
}

function day(value: string, earliest: string, now: number): Checked {
  if (!value) return 'required'
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return 'dateWrong'
  if (value > toField(now).slice(0, 10)) return 'future'
  return value < earliest ? { tooEarly: earliest } : undefined
}

function money(text: string, most: bigint): Checked {
  const amount = fen(text)
  if (amount === null) return 'amountWrong'
  if (amount === 0n) return 'amountZero'
  return amount > most ? { tooMuch: most } : undefined
}

export function checkReversal({ reason }: ReversalDraft, limits: WritingLimits): Problems<ReversalDraft> {
  return found<ReversalDraft>({ reason: neededText(reason, limits.entry.reason) })
}

export function checkNoticeCorrection(draft: NoticeCorrectionDraft, limits: WritingLimits): Problems<NoticeCorrectionDraft> {
  const { kind: _kind, ...wrong } = checkNotice({ kind: 'NOTICE', ...draft }, limits)
  return found<NoticeCorrectionDraft>({ ...wrong, reason: long(draft.reason, limits.reason) })
}

export function checkEventCorrection({ title, description, place, reason }: EventCorrectionDraft, limits: WritingLimits): Problems<EventCorrectionDraft> {
  return found<EventCorrectionDraft>({
    title: neededText(title, limits.event.title),
    description: long(description, limits.event.description),
    place: neededText(place, limits.event.place),
    reason: long(reason, limits.reason),
  })
}

export function checkWithdrawal({ reason }: WithdrawalDraft, limits: WritingLimits): Problems<WithdrawalDraft> {
  return found<WithdrawalDraft>({ reason: neededText(reason, limits.reason) })
}

// What is sent: texts as they were typed, the server cleans them.

export const noticeInput = ({ kind, title, body, from, until }: NoticeDraft) => ({
  kind,
  title,
  body,
  effectiveFrom: fromField(from),
  effectiveUntil: fromField(until),
})

/** Only what is not as it was; a time that was not touched stays exact to the second. */
export function noticeCorrectionInput(
  draft: NoticeCorrectionDraft,
  was: NoticeCorrectionDraft,
  notice: { effectiveFrom: string | null; effectiveUntil: string | null },
) {
  const at = (field: 'from' | 'until', before: string | null) => (draft[field] === was[field] ? before : fromField(draft[field]))
  const moved = draft.from !== was.from || draft.until !== was.until
  return {
    title: draft.title === was.title ? null : draft.title,
    body: draft.body === was.body ? null : draft.body,
    times: moved ? { effectiveFrom: at('from', notice.effectiveFrom), effectiveUntil: at('until', notice.effectiveUntil) } : null,
  }
}

export const eventCorrectionInput = (draft: EventCorrectionDraft, was: EventCorrectionDraft) => ({
  title: draft.title === was.title ? null : draft.title,
  description: draft.description === was.description ? null : draft.description,
  place: draft.place === was.place ? null : draft.place,
})

export const eventInput = (draft: EventDraft) => ({
  title: draft.title,
  description: draft.description,
  place: draft.place,
  startsAt: fromField(draft.starts)!,
  endsAt: fromField(draft.ends)!,
  signUpClosesAt: fromField(draft.signUpCloses),
  capacity: wholeNumber(draft.capacity),
  maxPartySize: draft.maxPartySize,
  potluck: draft.potluck,
})

type Category = WritingLimits['entry']['income'][number]

export const entryInput = (draft: EntryDraft) => ({
  date: draft.date,
  direction: draft.direction,
  category: draft.category as Category,
  item: draft.item,
  amount: amountInput(draft.amount),
  counterparty: draft.counterparty || null,
  voucher: draft.voucher || null,
  authorityVoteId: draft.authority === 'vote' ? draft.vote : null,
  authorityClause: draft.authority === 'clause' ? draft.clause : null,
})

/** The field of the form in which the server found a fault, by the path that it says. */
export const PLACES = {
  notice: {
    'notice.title': 'title',
    'notice.body': 'body',
    'notice.effectiveFrom': 'from',
    'notice.effectiveUntil': 'until',
  },
  event: {
    'event.title': 'title',
    'event.description': 'description',
    'event.place': 'place',
    'event.startsAt': 'starts',
    'event.endsAt': 'ends',
    'event.signUpClosesAt': 'signUpCloses',
    'event.capacity': 'capacity',
    'event.maxPartySize': 'maxPartySize',
  },
  entry: {
    'entry.date': 'date',
    'entry.direction': 'category',
    'entry.category': 'category',
    'entry.item': 'item',
    'entry.amount': 'amount',
    'entry.counterparty': 'counterparty',
    'entry.voucher': 'voucher',
    'entry.authorityVoteId': 'vote',
    'entry.authorityClause': 'clause',
  },
  reversal: { reason: 'reason' },
  noticeCorrection: {
    'correction.title': 'title',
    'correction.body': 'body',
    'correction.times.effectiveUntil': 'until',
    reason: 'reason',
  },
  eventCorrection: {
    'correction.title': 'title',
    'correction.description': 'description',
    'correction.place': 'place',
    reason: 'reason',
  },
  withdrawal: { reason: 'reason' },
} as const
