interface Times {
  startsAt: string
  endsAt: string
  signUpClosesAt: string
}

export type EventPhase = 'coming' | 'closed' | 'running' | 'over'

export function phaseOf({ startsAt, endsAt, signUpClosesAt }: Times, now: number): EventPhase {
  if (now >= Date.parse(endsAt)) return 'over'
  if (now >= Date.parse(startsAt)) return 'running'
  return now >= Date.parse(signUpClosesAt) ? 'closed' : 'coming'
}
