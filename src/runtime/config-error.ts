// What is wrong with the configuration, in the sentences that a person needs: every problem at once.

/** A setting that is wrong; the sentence goes on from its name. */
export interface ConfigProblem {
  name: string
  sentence: string
}

export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ name, sentence }) => `  ${name}: ${sentence}`)
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${lines.join('\n')}`,
    )
    this.name = 'ConfigError'
    this.problems = problems
  }
}
