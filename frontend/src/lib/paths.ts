/** Every address of the site, in one place. */
const part = encodeURIComponent

export const paths = {
  home: () => '/',
  bulletin: (slug: string) => `/c/${part(slug)}`,
  vote: (slug: string, id: string) => `/c/${part(slug)}/votes/${part(id)}`,
  /** The receipt itself, not the vote it belongs to. */
  receipt: (slug: string, id: string) => `/c/${part(slug)}/votes/${part(id)}?step=receipt`,
  event: (slug: string, id: string) => `/c/${part(slug)}/events/${part(id)}`,
  ledger: (slug: string, month?: string) => `/c/${part(slug)}/ledger${month ? `?month=${part(month)}` : ''}`,
  ledgerEntry: (slug: string, month: string, number: number) => `${paths.ledger(slug, month)}#entry-${number}`,
  notice: (slug: string, id: string) => `/c/${part(slug)}/notices/${part(id)}`,
  publish: (slug: string, what?: 'notice' | 'event' | 'entry') => `/c/${part(slug)}/publish${what ? `?what=${what}` : ''}`,
}
