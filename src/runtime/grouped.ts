// Single questions asked together: what comes up in one turn of the event loop, or while the group before it is answered,
// is one group. So there is never more than one under way, and its answers come in the order of the questions.

interface Waiting<Question, Answer> {
  question: Question
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/** `ask` answers each question of a group in its place; when it fails, all of the group fail. */
export function grouped<Question, Answer>(
  ask: (questions: Question[]) => Promise<Answer[]>,
): (question: Question) => Promise<Answer> {
  let waiting: Waiting<Question, Answer>[] = []
  let isAsking = false

  async function askAll(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting
      waiting = []
      try {
        const answers = await ask(group.map(({ question }) => question))
        for (const [index, { resolve }] of group.entries()) resolve(answers[index]!)
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    isAsking = false
  }

  return question =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject })
      if (isAsking) return
      isAsking = true
      setImmediate(() => void askAll())
    })
}
