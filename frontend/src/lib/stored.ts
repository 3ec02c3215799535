/** What this device remembers of how one likes to read. A browser that forbids it is no reason for a blank page. */
export const stored = {
  read(name: string): string | null {
    try {
      return localStorage.getItem(name)
    } catch {
      return null
    }
  },
  write(name: string, value: string) {
    try {
      localStorage.setItem(name, value)
    } catch {
      // Until the page is left, then.
    }
  },
}
