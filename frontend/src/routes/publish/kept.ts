/**
 * Drafts outlive the page: each under the account that writes it, so that nobody else is shown it on the same device,
 * and whoever signs in again finds it.
 */
export interface Kept {
  draft: Record<string, unknown>
  key: string
  /** When it was last saved. */
  at: number
  /** It was sent and no answer came: it may be out already. */
  sent: boolean
}

export const nameOf = (account: string, form: string) => `meilin.draft ${account} ${form}`

export function find(name: string): Kept | null {
  try {
    return read(localStorage.getItem(name))
  } catch {
    return null // no storage, or not for us
  }
}

export function read(text: string | null): Kept | null {
  try {
    const kept = JSON.parse(text ?? 'null') as Partial<Kept> | null
    const whole = typeof kept?.key === 'string' && typeof kept.at === 'number' && typeof kept.draft === 'object' && kept.draft
    return whole ? { draft: kept.draft!, key: kept.key!, at: kept.at!, sent: kept.sent === true } : null
  } catch {
    return null
  }
}

/** False where the browser keeps nothing: private windows, a full store. */
export function keep(name: string, kept: Kept): boolean {
  try {
    localStorage.setItem(name, JSON.stringify(kept))
    return true
  } catch {
    return false
  }
}

export function drop(name: string) {
  try {
    localStorage.removeItem(name)
  } catch {
    // Nothing was kept then.
  }
}

/** What another window of the same browser did with a draft: its new text, or null when it is gone. */
export function hear(changed: (name: string, kept: Kept | null) => void) {
  globalThis.addEventListener?.('storage', ({ key, newValue }) => key !== null && changed(key, read(newValue)))
}
