/** Whether the sign-in sheet is open, and for which communities it offers accounts. */
class SheetState {
  open = $state(false)
  slugs = $state.raw<{ slug: string; name: string }[]>([])

  show(communities: { slug: string; name: string }[]) {
    this.slugs = communities
    this.open = true
  }

  close() {
    this.open = false
  }
}

export const signInSheet = new SheetState()
