import { CommunityHeadFragment } from '$lib/api/community'
import { graphql, type ResultOf } from '$lib/api/graphql'
import { ViewerFragment } from '$lib/session/session.svelte'
import { TallyFragment, TurnoutFragment } from '$lib/tally/fragment'

const BallotFragment = graphql(`
  fragment Ballot on BallotReceipt {
    id
    castAt
    code
    replacedCodes
    answers {
      questionId
      choices
      text
    }
  }
`)

export const VotePageQuery = graphql(
  `
    query VotePage($slug: String!, $number: Int!) {
      viewer {
        ...Viewer
      }
      community(slug: $slug) {
        ...CommunityHead
        vote(number: $number) {
          id
          number
          title
          description
          form
          status
          convener {
            id
            name
          }
          opensAt
          closesAt
          revisable
          rules {
            parkingCounts
            followMajority
          }
          scope {
            id
            name
            units
          }
          questions {
            id
            title
            description
            kind
            matter
            scope {
              id
              name
              units
            }
            choices {
              code
              label
            }
            minChoices
            maxChoices
            acceptsText
          }
          tally {
            ...Tally
            ...Turnout
          }
          viewerEntries {
            party
            units
            weight {
              heads
              area
            }
            mayCast
            ballot {
              ...Ballot
            }
          }
        }
      }
      limits {
        ballotText
      }
    }
  `,
  [ViewerFragment, CommunityHeadFragment, TallyFragment, TurnoutFragment, BallotFragment],
)

export const CastBallotMutation = graphql(
  `
    mutation CastBallot($voteId: ID!, $answers: [AnswerInput!]!, $party: ID, $key: String) {
      castBallot(voteId: $voteId, answers: $answers, party: $party, key: $key) {
        ...Ballot
      }
    }
  `,
  [BallotFragment],
)

export type VotePage = NonNullable<NonNullable<ResultOf<typeof VotePageQuery>['community']>['vote']>
export type Question = VotePage['questions'][number]
export type Entry = VotePage['viewerEntries'][number]
export type Ballot = NonNullable<Entry['ballot']>
/** An owner party whose ballot is in the box. */
export type Receipt = Entry & { ballot: Ballot }
