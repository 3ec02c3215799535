import { hundredths } from '../format/amount'
import type { QuestionTally } from './fragment'

/** Heads as whole households, area as hundredths of a square metre. */
export interface Amounts {
  heads: bigint
  area: bigint
}
export type Measure = keyof Amounts
export const MEASURES: readonly Measure[] = ['heads', 'area']

export interface Axis {
  have: bigint
  of: bigint
  missing: bigint
  met: boolean
}

/** One of the two questions the law asks: did enough take part, do enough agree. */
export interface Gate {
  need: Need
  clause: string
  heads: Axis
  area: Axis
  met: boolean
}

export interface Need {
  text: string
  numerator: bigint
  denominator: bigint
  /** 过半 must be exceeded; 三分之二 and 四分之三 include the number itself. */
  exceeded: boolean
}

/** Drawn in this order: FOLLOW lies between FOR and AGAINST, so that it can join either without moving. */
export const SIDES = ['FOR', 'FOLLOW', 'AGAINST', 'ABSTAIN'] as const
export type Side = (typeof SIDES)[number]

export type Standing =
  | 'NOT_YET_OPEN'
  | 'TOO_FEW'
  | 'NOT_AGREED'
  | 'HOLDS'
  | 'ENOUGH_HIDDEN'
  | 'COUNTING'
  | 'ADOPTED'
  | 'NOT_ADOPTED'
  | 'NO_QUORUM'
  | 'ANNULLED'

export interface TallyReading {
  standing: Standing
  eligible: Amounts
  participating: Amounts
  participation: Gate
  /** null while how people voted is not published. */
  agreement: Gate | null
  agreeing: Amounts | null
  sides: { side: Side; amounts: Amounts }[] | null
  /** The side FOLLOW joins now. */
  leader: Side | null
}

/** A reading among several, and the question that it is of. */
export interface Titled {
  reading: TallyReading
  title: string
}

export type VoteStatus =
  | 'DRAFT' | 'ANNOUNCED' | 'OPEN' | 'SUSPENDED' | 'CLOSED' | 'ON_DISPLAY' | 'CERTIFIED' | 'PUBLISHED' | 'WITHDRAWN' | 'ANNULLED'

/** null for a consultation: it has no gates and can neither pass nor fail. */
export function readTally(question: QuestionTally, status: VoteStatus): TallyReading | null {
  const participation = gate(question, 'PARTICIPATION')
  if (!participation) return null
  const agreement = question.agreeing && question.choices ? gate(question, 'AGREEMENT') : null
  return {
    standing: standing(question, status, participation, agreement),
    eligible: amounts(question.eligible),
    participating: amounts(question.participating),
    participation,
    agreement,
    agreeing: agreement && question.agreeing ? amounts(question.agreeing) : null,
    sides: agreement ? sides(question) : null,
    leader: SIDES.find((side) => side === question.leader) ?? null,
  }
}

function standing(question: QuestionTally, status: VoteStatus, participation: Gate, agreement: Gate | null): Standing {
  if (status === 'ANNULLED' || status === 'WITHDRAWN') return 'ANNULLED'
  if (status === 'DRAFT' || status === 'ANNOUNCED') return 'NOT_YET_OPEN'
  if (question.outcome && question.outcome !== 'PENDING') return question.outcome
  if (status !== 'OPEN' && status !== 'SUSPENDED') return 'COUNTING'
  if (!participation.met) return 'TOO_FEW'
  if (!agreement) return 'ENOUGH_HIDDEN'
  return agreement.met ? 'HOLDS' : 'NOT_AGREED'
}

function gate(question: QuestionTally, name: 'PARTICIPATION' | 'AGREEMENT'): Gate | null {
  const axis = (measure: 'HEADS' | 'AREA') => {
    const condition = question.conditions.find((one) => one.gate === name && one.measure === measure)
    if (!condition) return null
    // A condition of heads counts whole heads, written "37.00".
    const amount = (text: string) => (measure === 'HEADS' ? hundredths(text) / 100n : hundredths(text))
    const { met, need, clause } = condition
    return { have: amount(condition.have), of: amount(condition.of), missing: amount(condition.missing), met, need, clause }
  }
  const heads = axis('HEADS')
  const area = axis('AREA')
  if (!heads || !area) return null
  return { need: readNeed(heads.need), clause: heads.clause, heads, area, met: heads.met && area.met }
}

function sides(question: QuestionTally): TallyReading['sides'] {
  return SIDES.flatMap((side) => {
    const found = question.choices?.find((one) => one.choice === side)
    return found ? [{ side, amounts: amounts(found.weight) }] : []
  })
}

export function amounts(weight: { heads: number; area: string }): Amounts {
  return { heads: BigInt(weight.heads), area: hundredths(weight.area) }
}

export function readNeed(text: string): Need {
  const [numerator = '1', denominator = '1'] = text.split('/')
  return { text, numerator: BigInt(numerator), denominator: BigInt(denominator), exceeded: text === '1/2' }
}

/**
 * The least amount that meets a need, in whole households or hundredths of a square metre: three quarters of 6 are 5,
 * over half of 600 are 301 and of 601 as well. Nobody can bring half a household.
 */
export function needed(need: Need, of: bigint): bigint {
  const product = of * need.numerator
  return need.exceeded ? product / need.denominator + 1n : (product + need.denominator - 1n) / need.denominator
}

/** Where everybody still to come agreeing would not be enough any more. */
export function beyondReach({ eligible, participating, agreement, sides }: TallyReading): boolean {
  // FOLLOW may still change its side, and then the sum is another.
  if (!agreement || sides?.some((one) => one.side === 'FOLLOW')) return false
  return MEASURES.some((measure) => agreement[measure].missing > eligible[measure] - participating[measure])
}

/** What a listener should hear about: it changes when a threshold is crossed, not with each ballot. */
export function thresholds({ standing, participation, agreement }: TallyReading): string {
  const state = (gate: Gate | null) => (gate ? `${gate.heads.met}${gate.area.met}` : '')
  return `${standing} ${state(participation)} ${state(agreement)}`
}
