// What a call leaves behind beside its outcome: what was said, what came of it, the recording, how the line was.

/** Whether and how answering machines are told from people; see docs/guide/answering-machines.md. */
export const machinePolicies = ['off', 'hang-up', 'leave-message', 'hand-to-agent'] as const
export type MachinePolicy = (typeof machinePolicies)[number]

export interface TranscriptEntry {
  role: 'agent' | 'human'
  message: string
  /** Epoch ms. */
  at: number
}

/** As the media worker counted them. */
export interface LineFigures {
  packetsSent: number
  packetsReceived: number
  packetsLost: number
  jitterMs: number
  /** From the answer to the agent's first word, ms; null: it never spoke. */
  firstAudioAfterMs: number | null
}

export interface Conversation {
  transcript: TranscriptEntry[]
  /** By name, as the agent set them. */
  results: Record<string, unknown>
  /** A plain file name in the folder of recordings; null: not recorded. */
  recordingFile: string | null
  recordingBytes: number | null
  line: LineFigures
}
