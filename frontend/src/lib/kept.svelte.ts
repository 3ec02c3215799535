import { untrack } from 'svelte'
import { HABITS } from './stored'

/**
 * What was typed and is not sent yet. It outlives a reload, a new release and a session that ends by itself: whoever
 * signs in again finds it, others do not. Signing out forgets it.
 *
 * `tab` is for what is nobody else's business, such as a ballot: it goes with the tab. `device` also outlives a
 * browser that is closed, for long texts.
 */
export type Where = 'tab' | 'device'

const PREFIX = 'meilin.kept '
/** A browser that keeps nothing (private windows, a full disk) still keeps it until the page is left. */
const memory = new Map<string, string>()

const forgetful = new Set<() => void>()

let whose = ''

const keyOf = (name: string) => `${PREFIX}${whose} ${name}`

function store(where: Where): Storage | null {
  try {
    return where === 'tab' ? sessionStorage : localStorage
  } catch {
    return null
  }
}

function keysOf(where: Where): string[] {
  try {
    return Object.keys(store(where) ?? {})
  } catch {
    return []
  }
}

function readAt(key: string, where: Where): unknown {
  try {
    const text = memory.get(key) ?? store(where)?.getItem(key)
    return text ? JSON.parse(text) : null
  } catch {
    return null // not what we wrote: as good as nothing
  }
}

function writeAt(key: string, value: unknown, where: Where) {
  const text = JSON.stringify(value)
  try {
    store(where)!.setItem(key, text)
    memory.delete(key)
  } catch {
    memory.set(key, text)
  }
}

function forgetAt(key: string) {
  memory.delete(key)
  for (const where of ['tab', 'device'] as const) {
    try {
      store(where)?.removeItem(key)
    } catch {
      // What cannot be reached keeps nothing either.
    }
  }
}

export const kept = {
  /** Null where nothing is kept. The shape is what was written, perhaps by an older release: look before use. */
  read: <Value>(name: string, where: Where = 'tab') => readAt(keyOf(name), where) as Value | null,
  write: (name: string, value: unknown, where: Where = 'tab') => writeAt(keyOf(name), value, where),
  forget: (name: string) => forgetAt(keyOf(name)),

  /** Whose words these are, told by the session. A session that ended is nobody's; its words stay its own. */
  belongsTo(account: string | null) {
    whose = account ?? ''
  },

  /**
   * Signed out on purpose: nothing of anybody stays on this device, whatever part of the page keeps it. Only how one
   * likes to read does.
   */
  forgetAll() {
    const keys = [...memory.keys()]
    for (const where of ['tab', 'device'] as const) keys.push(...keysOf(where))
    keys.filter((key) => key.startsWith('meilin.') && !HABITS.some((habit) => habit === key)).forEach(forgetAt)
    forgetful.forEach((forget) => forget())
  },

  /** For whatever else is held of somebody, in this window: called at each sign-out. */
  alsoForget(forget: () => void) {
    forgetful.add(forget)
  },
}

/** The fields of `empty` that were kept, where they are still of the same kind. */
export function revived<Draft extends object>(empty: Draft, found: unknown): Draft {
  if (typeof found !== 'object' || found === null) return { ...empty }
  const known = Object.entries(found).filter(([field, value]) => typeof value === typeof empty[field as keyof Draft])
  return { ...empty, ...Object.fromEntries(known.filter(([field]) => field in empty)) }
}

export interface KeptDraft<Draft extends object> {
  /** To be bound to fields: each change is kept. */
  draft: Draft
  /** It was sent, or is given up. */
  forget: () => void
}

/** A form that keeps itself. Called while a component begins; it belongs to whoever is signed in at that time. */
export function keptDraft<Draft extends object>(name: string, empty: Draft, where: Where = 'tab'): KeptDraft<Draft> {
  const key = keyOf(name)
  const draft = $state(revived(empty, readAt(key, where)))
  let last = untrack(() => JSON.stringify($state.snapshot(draft)))
  $effect(() => {
    const text = JSON.stringify($state.snapshot(draft))
    if (text === last) return
    last = text
    writeAt(key, JSON.parse(text), where)
  })
  return {
    draft,
    forget() {
      Object.assign(draft, empty)
      last = JSON.stringify($state.snapshot(draft))
      forgetAt(key)
    },
  }
}

/**
 * The key under which something is sent. It stays the same over retries, reloads and new sessions while the content
 * does, so that a deed whose answer was lost is not done twice; other content is another deed and gets another key.
 */
export function sendingKey(name: string, content: unknown): string {
  const text = JSON.stringify(content)
  const known = kept.read<{ key: string; text: string }>(`key ${name}`)
  if (known?.text === text) return known.key
  const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
  kept.write(`key ${name}`, { key, text })
  return key
}

/** The deed has been answered: the next one is another. */
export const forgetKey = (name: string) => kept.forget(`key ${name}`)
