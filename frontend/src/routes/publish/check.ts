import { fromField } from '$lib/format/time'

export type Problem = 'required' | 'timeWrong' | 'endsBeforeStart' | 'closesAfterStart' | 'numberWrong'

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

type Problems<Draft> = Partial<Record<keyof Draft, Problem>>

const missing = (text: string) => (text.trim() ? undefined : 'required')
const optionalTime = (value: string) => (value && !fromField(value) ? 'timeWrong' : undefined)
const neededTime = (value: string) => (!value ? 'required' : fromField(value) ? undefined : 'timeWrong')
const before = (one: string, other: string) => !!one && !!other && one < other

/** Only what is wrong, by field: nothing means that it may be sent. */
function found<Draft>(problems: { [Name in keyof Draft]?: Problem | undefined }): Problems<Draft> {
  return Object.fromEntries(Object.entries(problems).filter(([, problem]) => problem)) as Problems<Draft>
}

export function checkNotice({ title, body, from, until }: NoticeDraft): Problems<NoticeDraft> {
  return found<NoticeDraft>({
    title: missing(title),
    body: missing(body),
    from: optionalTime(from),
    until: optionalTime(until) ?? (before(until, from) ? 'endsBeforeStart' : undefined),
  })
}

export function checkEvent(draft: EventDraft): Problems<EventDraft> {
  const { title, place, starts, ends, signUpCloses, capacity } = draft
  return found<EventDraft>({
    title: missing(title),
    place: missing(place),
    starts: neededTime(starts),
    ends: neededTime(ends) ?? (ends <= starts ? 'endsBeforeStart' : undefined),
    signUpCloses: optionalTime(signUpCloses) ?? (before(starts, signUpCloses) ? 'closesAfterStart' : undefined),
    capacity: !capacity.trim() || /^[1-9]\d{0,5}$/.test(capacity.trim()) ? undefined : 'numberWrong',
  })
}

export const noticeInput = ({ kind, title, body, from, until }: NoticeDraft) => ({
  kind,
  title: title.trim(),
  body: body.trim(),
  effectiveFrom: fromField(from),
  effectiveUntil: fromField(until),
})

export const eventInput = (draft: EventDraft) => ({
  title: draft.title.trim(),
  description: draft.description.trim(),
  place: draft.place.trim(),
  startsAt: fromField(draft.starts)!,
  endsAt: fromField(draft.ends)!,
  signUpClosesAt: fromField(draft.signUpCloses),
  capacity: draft.capacity.trim() ? Number(draft.capacity) : null,
  maxPartySize: draft.maxPartySize,
  potluck: draft.potluck,
})
