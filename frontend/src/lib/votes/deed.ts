interface Entry {
  mayCast: boolean
  ballot: object | null
}

/**
 * What this reader has to do with an open vote, known before anything is drawn. Only `cast` gets the colour of the
 * deed; `signIn` may turn out to be an owner; the others read who votes instead.
 */
export type VoteDeed = 'unknown' | 'signIn' | 'notOnRoll' | 'otherCasts' | 'cast' | 'done'

export function voteDeed(entries: readonly Entry[], who: { settled: boolean; viewer: object | null }): VoteDeed {
  if (!who.settled) return 'unknown'
  if (entries.some(({ mayCast, ballot }) => mayCast && !ballot)) return 'cast'
  if (entries.some(({ mayCast }) => mayCast)) return 'done'
  if (entries.length > 0) return 'otherCasts'
  return who.viewer ? 'notOnRoll' : 'signIn'
}

export const hasReceipt = (entries: readonly Entry[]): boolean => entries.some(({ ballot }) => ballot !== null)
