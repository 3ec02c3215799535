import type { LocalTime } from '$lib/format/time'
import type { EventPhase } from '$lib/events/phase'
import type { TallyReading } from '$lib/tally/reading'
import type { Words } from '$lib/words/zh'

/** One answer under the masthead: a label, and the figure or word one came for. */
export interface Answer {
  label: string
  /** A sentence of the catalogue, the strong part marked. */
  figure: string
  /** It is done: a tick beside it. */
  done?: boolean
}

interface VoteNow {
  status: string
  /** Of the question that still needs most; none in a survey. */
  reading: TallyReading | undefined
  answered: bigint
  opens: string
}

/** What is missing, before anything else: of turnout, and once that is there of agreement. */
export function voteAnswer({ status, reading, answered, opens }: VoteNow, words: Words['board']): Answer {
  if (status === 'ANNOUNCED') return { label: words.opens, figure: `*${opens}*` }
  if (!reading) return { label: words.survey, figure: words.filled(answered) }
  const short = (gate: TallyReading['participation']) =>
    gate.heads.met ? words.figure('area', gate.area.missing) : words.figure('heads', gate.heads.missing)
  switch (reading.standing) {
    case 'TOO_FEW':
      return { label: words.toVote, figure: short(reading.participation) }
    case 'NOT_AGREED':
      return { label: words.toAgree, figure: short(reading.agreement!) }
    case 'HOLDS':
    case 'ENOUGH_HIDDEN':
      return { label: words.voting, figure: words.enough, done: true }
    default:
      return { label: words.voting, figure: words.counting }
  }
}

interface OwnEntry {
  mayCast: boolean
  ballot: unknown
}

export type OwnCase = 'stranger' | 'notOnRoll' | 'coOwner' | 'waiting' | 'done'

/** How the viewer stands to a vote: which answer it gets, and where that leads. */
export function ownCase(signedIn: boolean, entries: readonly OwnEntry[]): OwnCase {
  if (!signedIn) return 'stranger'
  if (entries.length === 0) return 'notOnRoll'
  const mine = entries.filter(({ mayCast }) => mayCast)
  if (mine.length === 0) return entries.every(({ ballot }) => ballot) ? 'done' : 'coOwner'
  return mine.every(({ ballot }) => ballot) ? 'done' : 'waiting'
}

export function ownAnswer(which: OwnCase, entries: readonly OwnEntry[], survey: boolean, words: Words['board']): Answer {
  const label = words.yours
  const mine = entries.filter(({ mayCast }) => mayCast)
  const done = mine.filter(({ ballot }) => ballot).length
  switch (which) {
    case 'stranger':
      return { label, figure: words.signIn }
    case 'notOnRoll':
      return { label: words.voting, figure: words.notYours }
    case 'coOwner':
      return { label, figure: words.byCoOwner }
    case 'done':
      return { label, figure: survey ? words.filledIn : words.cast, done: true }
    case 'waiting':
      if (done > 0) return { label, figure: words.castSome(done, mine.length) }
      return { label, figure: survey ? words.notFilled : words.notCast }
  }
}

interface EventNow {
  title: string
  at: LocalTime
  phase: EventPhase
  signedUp: number
  placesLeft: number | null
  /** With how many one's own household comes. */
  own: number | null
}

export function eventAnswer(event: EventNow | null, words: Words['board']): Answer {
  if (!event) return { label: words.events, figure: words.noEvent }
  const { title, at, phase, signedUp, placesLeft, own } = event
  if (own && phase !== 'over') return { label: words.eventYours(at), figure: words.comingOf(own), done: true }
  const label = words.event(at, title)
  if (phase === 'running') return { label, figure: words.running }
  if (phase === 'closed') return { label, figure: words.signUpOver }
  if (placesLeft === null) return { label, figure: words.comes(signedUp) }
  return placesLeft > 0 ? { label: words.eventLeft(at, title), figure: words.places(placesLeft) } : { label, figure: words.full }
}
