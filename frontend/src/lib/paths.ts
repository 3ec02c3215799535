/** Every address of the site, in one place. Numbers are the community's own, so that they fit on paper. */
const part = encodeURIComponent

export const paths = {
  home: () => '/',
  bulletin: (slug: string) => `/c/${part(slug)}`,
  vote: (slug: string, number: number) => `/c/${part(slug)}/v/${number}`,
  /** The receipt itself, not the vote it belongs to. */
  receipt: (slug: string, number: number) => `${paths.vote(slug, number)}?step=receipt`,
  event: (slug: string, number: number) => `/c/${part(slug)}/e/${number}`,
  notice: (slug: string, number: number) => `/c/${part(slug)}/n/${number}`,
  entry: (slug: string, number: number) => `/c/${part(slug)}/l/${number}`,
  ledger: (slug: string, month?: string) => `/c/${part(slug)}/ledger${month ? `?month=${part(month)}` : ''}`,
  ledgerEntry: (slug: string, month: string, number: number) => `${paths.ledger(slug, month)}#entry-${number}`,
  publish: (slug: string, what?: 'notice' | 'event' | 'entry') => `/c/${part(slug)}/publish${what ? `?what=${what}` : ''}`,
}
