import { DAY, dayNumber, HOUR, midnight } from '../format/time'
import type { Gate } from './reading'

/** How many came on one day, as the server says it: a day on which nobody came is left out. */
export interface DayTurnout {
  day: string
  heads: number
}

/** A day of the voting, by its instant 0:00 in Shanghai. */
export interface VotingDay {
  at: number
  when: 'past' | 'today' | 'coming'
  heads: number
}

interface Times {
  opensAt: string
  closesAt: string
}

const NOON = 12 * HOUR

/** Every day on which ballots are taken, from the opening to the close; one that closes at 0:00 ends the day before. */
export function votingDays(turnout: readonly DayTurnout[], { opensAt, closesAt }: Times, now: number): VotingDay[] {
  const heads = new Map(turnout.map(({ day, heads }) => [dayNumber(Date.parse(`${day}T00:00:00+08:00`)), heads]))
  const today = dayNumber(now)
  const first = dayNumber(Date.parse(opensAt))
  const days: VotingDay[] = []
  for (let day = first; day <= lastDay(closesAt); day += 1) {
    const when = day < today ? 'past' : day === today ? 'today' : 'coming'
    days.push({ at: midnight(day), when, heads: heads.get(day) ?? 0 })
  }
  return days
}

const lastDay = (closesAt: string) => dayNumber(Date.parse(closesAt) - 1)

/** What each whole day that is left has to bring, so that enough take part. */
export interface Pace {
  /** The instants of the first and the last of them. */
  from: number
  to: number
  days: number
  /** Rounded up; 0 where the measure is met. */
  heads: bigint
  area: bigint
}

/**
 * Whole days only: neither what is left of today, nor a last one that closes before noon. null where enough
 * take part already or no such day is left.
 */
export function paceOf(gate: Gate, closesAt: string, now: number): Pace | null {
  const close = Date.parse(closesAt)
  const whole = close - midnight(lastDay(closesAt)) >= NOON ? lastDay(closesAt) : lastDay(closesAt) - 1
  const days = whole - dayNumber(now)
  if (gate.met || days <= 0) return null
  const each = (missing: bigint) => (missing + BigInt(days) - 1n) / BigInt(days)
  return {
    from: midnight(dayNumber(now)) + DAY,
    to: midnight(whole),
    days,
    heads: gate.heads.met ? 0n : each(gate.heads.missing),
    area: gate.area.met ? 0n : each(gate.area.missing),
  }
}

/** How many came a day, on the days that are over; null before the first one is. */
export function averageOf(days: readonly VotingDay[]): { days: number; heads: number } | null {
  const past = days.filter(({ when }) => when === 'past')
  if (past.length === 0) return null
  return { days: past.length, heads: Math.round(past.reduce((sum, { heads }) => sum + heads, 0) / past.length) }
}
