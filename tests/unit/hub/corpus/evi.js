//VERSION=3
var setup = () => ({ input: ["B02", "B04", "B08"], output: { bands: 1, sampleType: "FLOAT32" } });

class Evi {
  #gain = 2.5;
  of({ B02, B04, B08 }) {
    return this.#gain * (B08 - B04) / (B08 + 6.0 * B04 - 7.5 * B02 + 11.0);
  }
}
const evi = new Evi();

function evaluatePixel(sample) {
  return [evi.of(sample)];
}
