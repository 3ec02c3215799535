import { graphql, type ResultOf } from './graphql'

/** What every page of a community needs of it: its name, and where the journal stands. */
export const CommunityHeadFragment = graphql(`
  fragment CommunityHead on Community {
    id
    slug
    name
    households
    publicReading
    viewerPermissions
    journal: bulletin(first: 1) {
      edges {
        cursor
      }
    }
  }
`)

export type CommunityHead = ResultOf<typeof CommunityHeadFragment>
