import { graphql, type ResultOf } from '../api/graphql'

export const TallyFragment = graphql(`
  fragment Tally on VoteProgress {
    voteId
    version
    eligible {
      heads
      area
    }
    participating {
      heads
      area
    }
    lastBallotAt
    turnoutByDay {
      day
      heads
    }
    questions {
      questionId
      eligible {
        heads
        area
      }
      participating {
        heads
        area
      }
      agreeing {
        heads
        area
      }
      choices {
        choice
        weight {
          heads
          area
        }
      }
      conditions {
        gate
        measure
        need
        clause
        have
        of
        missing
        met
      }
      leader
      outcome
    }
  }
`)

export const TallySubscription = graphql(
  `
    subscription VoteProgress($voteId: ID!) {
      voteProgress(voteId: $voteId) {
        ...Tally
      }
    }
  `,
  [TallyFragment],
)

export type Tally = ResultOf<typeof TallyFragment>
export type QuestionTally = Tally['questions'][number]
