/**
 * The hours of a neighbourhood are the hours of Asia/Shanghai, wherever the reader is.
 * China has had no summer time since 1991, so the zone is a fixed eight hours.
 */
const OFFSET = 8 * 3600_000
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Wall-clock parts, ready for a catalogue to put into words. */
export interface LocalTime {
  year: number
  month: number
  day: number
  /** 0 is Sunday. */
  weekday: number
  clock: string
  seconds: string
  /** Whole days from the day of `now` to this day: 0 today, 1 tomorrow, −1 yesterday. */
  daysAway: number
  /** The year of `now`, so that it need not be said. */
  thisYear: boolean
}

const pad = (value: number) => String(value).padStart(2, '0')
/** Days as they are counted in Shanghai, and the instant at which one begins. */
export const dayNumber = (instant: number) => Math.floor((instant + OFFSET) / DAY)
export const midnight = (day: number) => day * DAY - OFFSET

export function local(instant: number, now: number): LocalTime {
  const at = new Date(instant + OFFSET)
  return {
    year: at.getUTCFullYear(),
    month: at.getUTCMonth() + 1,
    day: at.getUTCDate(),
    weekday: at.getUTCDay(),
    clock: `${at.getUTCHours()}:${pad(at.getUTCMinutes())}`,
    seconds: pad(at.getUTCSeconds()),
    daysAway: dayNumber(instant) - dayNumber(now),
    thisYear: at.getUTCFullYear() === new Date(now + OFFSET).getUTCFullYear(),
  }
}

/**
 * The same for an end. Midnight ends the day that is over: 24:00, as notices write it, and nobody who reads "tomorrow
 * 0:00" comes a day late. A beginning at midnight stays 0:00.
 */
export function localEnd(instant: number, now: number): LocalTime {
  if ((instant + OFFSET) % DAY !== 0) return local(instant, now)
  return { ...local(instant - DAY, now), clock: '24:00' }
}

/** From a beginning to an end, and whether both are of one day, so that it need be said only once. */
export function stretch(from: number, until: number, now: number): [LocalTime, LocalTime, boolean] {
  if (until <= from) return [local(from, now), local(until, now), sameDay(from, until)]
  return [local(from, now), localEnd(until, now), sameDay(from, until - 1)]
}

export const sameDay = (one: number, other: number) => dayNumber(one) === dayNumber(other)

/** How long from now, in the two units a person would say. */
export interface Span {
  days: number
  hours: number
  minutes: number
}

/**
 * Far ends are said in days alone, near ones with the hours, the last hour in minutes. Whole ones only: it never says
 * more time than there is, nor 60 minutes; the last minute is one.
 */
export function until(instant: number, now: number): Span | null {
  const left = instant - now
  if (left <= 0) return null
  if (left >= 7 * DAY) return { days: Math.floor(left / DAY), hours: 0, minutes: 0 }
  if (left >= DAY) return { days: Math.floor(left / DAY), hours: Math.floor((left % DAY) / HOUR), minutes: 0 }
  if (left >= HOUR) return { days: 0, hours: Math.floor(left / HOUR), minutes: Math.floor((left % HOUR) / MINUTE) }
  return { days: 0, hours: 0, minutes: Math.max(1, Math.floor(left / MINUTE)) }
}

/** The value of a datetime-local field, read as Shanghai time; null while it is not a time. */
export function fromField(value: string): string | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(value)) return null
  const instant = Date.parse(`${value.slice(0, 16)}:00+08:00`)
  return Number.isNaN(instant) ? null : new Date(instant).toISOString().replace('.000Z', 'Z')
}

/** The other way round, for a field's first value. */
export function toField(instant: number): string {
  return new Date(instant + OFFSET).toISOString().slice(0, 16)
}

/** The month of a day or instant as the ledger names it: 2026-10. */
export function monthOf(instant: number): string {
  return toField(instant).slice(0, 7)
}
