// What the caller says: from the microphone or a file, as Graph's wav: mono, 16 bit, 16 kHz.

const RATE = 16_000;
const HEADER_BYTES = 44;
const BEEP = { hertz: 1_000, seconds: 0.25, loudness: 0.3, edge: 0.02 };

/** Records from the microphone until `stop`, which gives `{wav, seconds}`. */
export class Microphone {
  #recorder;
  #chunks = [];

  /** Asks for the microphone; throws where there is none, or nobody allows it. */
  async start() {
    if (!navigator.mediaDevices?.getUserMedia) throw new Error("no microphone");
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    this.#recorder = new MediaRecorder(stream);
    this.#recorder.addEventListener("dataavailable", ({ data }) => this.#chunks.push(data));
    this.#recorder.start();
  }

  async stop() {
    const recorder = this.#recorder;
    if (recorder.state !== "inactive") {
      const stopped = new Promise((resolve) => { recorder.addEventListener("stop", resolve, { once: true }); });
      recorder.stop();
      await stopped;
    }
    for (const track of recorder.stream.getTracks()) track.stop();
    try {
      return await toWav(new Blob(this.#chunks));
    } catch (error) {
      if (error.name !== "EncodingError") throw error;
      return { wav: toFile(new Float32Array(1)), seconds: 0 }; // stopped before the first sound
    }
  }
}

/** Makes a wav of anything that the browser can decode; throws where it cannot. */
export async function toWav(blob) {
  const context = new OfflineAudioContext(1, RATE, RATE);
  const decoded = await context.decodeAudioData(await blob.arrayBuffer());
  const mixing = new OfflineAudioContext(1, Math.max(1, Math.ceil(decoded.duration * RATE)), RATE);
  const source = mixing.createBufferSource();
  source.buffer = decoded;
  source.connect(mixing.destination);
  source.start();
  const samples = (await mixing.startRendering()).getChannelData(0);
  return { wav: toFile(samples), seconds: decoded.duration };
}

/** Makes a short beep, which begins and ends softly so that it does not click. */
export function beepWav() {
  const { hertz, seconds, loudness, edge } = BEEP;
  const samples = Float32Array.from({ length: RATE * seconds }, (_, i) => {
    const at = i / RATE;
    const softness = Math.min(1, at / edge, (seconds - at) / edge);
    return loudness * softness * Math.sin(2 * Math.PI * hertz * at);
  });
  return toFile(samples);
}

function toFile(samples) {
  return new Blob([encode(samples)], { type: "audio/wav" });
}

function encode(samples) {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES + 2 * samples.length));
  const write = (at, text) => [...text].forEach((character, i) => view.setUint8(at + i, character.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, view.byteLength - 8, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => view.setInt16(HEADER_BYTES + 2 * i, Math.max(-1, Math.min(1, sample)) * 32767, true));
  return view.buffer;
}
