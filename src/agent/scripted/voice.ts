// The voices that the scripted agent can speak with, as Flite names them.

/**
 * Flite's voices. Measured on a busy 2-core machine, for a second of speech: `kal` 8 ms (8 kHz, the oldest and
 * plainest), `slt` (the default), `rms` and `awb` 25 ms (16 kHz, easier to understand).
 */
export const voices = ['slt', 'rms', 'awb', 'kal'] as const
export type Voice = (typeof voices)[number]

/** One piece of speech. */
export interface Utterance {
  text: string
  voice: Voice
  /** 1 is the voice's own pace, 1.2 a fifth faster. */
  speed: number
}
