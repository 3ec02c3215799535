import type { FormattedExecutionResult } from 'graphql-ws'

/** What the server refused, or that it could not be reached. Words are chosen when it is shown. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    readonly sentences: { zh?: string; en?: string } = {},
    /** The input at fault, as a path into what was sent. */
    readonly field?: string,
  ) {
    super(code)
    this.name = 'Refusal'
  }

  /** Nobody can tell whether it was recorded: the same request, with the same key, may be sent again. */
  get mayHaveArrived() {
    return ['UNREACHABLE', 'OUTCOME_UNKNOWN', 'INTERNAL'].includes(this.code)
  }
}

type ResultErrors = NonNullable<FormattedExecutionResult['errors']>

export function refusalFrom(errors: ResultErrors): Refusal {
  const extensions = errors[0]?.extensions ?? {}
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  const zh = text(extensions['zh'])
  const en = text(extensions['en'])
  return new Refusal(text(extensions['code']) ?? 'INTERNAL', { ...(zh && { zh }), ...(en && { en }) }, text(extensions['field']))
}

export function asRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal('UNREACHABLE')
}
