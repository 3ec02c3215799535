/** All that stays on a device whose reader has signed out. */
export const HABITS = ['meilin.elder', 'meilin.language'] as const
type Habit = (typeof HABITS)[number]

/** What this device remembers of how one likes to read. A browser that forbids it is no reason for a blank page. */
export const stored = {
  read(name: Habit): string | null {
    try {
      return localStorage.getItem(name)
    } catch {
      return null
    }
  },
  write(name: Habit, value: string) {
    try {
      localStorage.setItem(name, value)
    } catch {
      // Until the page is left, then.
    }
  },
}
