/** Whose token it is that was typed into the box. */

const STORED = 'meilin.explorer.token'

export const kept = () => sessionStorage.getItem(STORED) ?? ''
export const keep = (token: string) => sessionStorage.setItem(STORED, token)

/** As it is typed or pasted, with or without the word Bearer, of a header or alone. */
export const bare = (typed: string) => typed.replace(/^\s*(?:authorization:\s*)?(?:bearer(?:\s+|$))?/i, '').trim()

export const headersOf = (token: string): Record<string, string> => (token ? { Authorization: `Bearer ${token}` } : {})

export interface Answer {
  data?: { viewer: { account: string } | null } | null
  errors?: { message: string; extensions?: { zh?: string; en?: string } }[]
}

/** What the answer to `{ viewer { account } }` says of the token; `signedOut`: what is said of none. */
export function spoken(token: string, { data, errors }: Answer, signedOut: string): string {
  const [error] = errors ?? []
  if (error) return `${error.extensions?.zh ?? ''} ${error.extensions?.en ?? error.message}`.trim()
  if (data?.viewer) return `✓ ${data.viewer.account}`
  return token ? '' : signedOut
}
