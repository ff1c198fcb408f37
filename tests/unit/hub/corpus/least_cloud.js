//VERSION=3
// With mosaickingOrder leastCC the service itself puts the clearest tile on top.
function setup() {
  return { input: [{ bands: ["B08"], units: "DN" }], output: { bands: 1, sampleType: "UINT16" } };
}
function evaluatePixel(sample) { return [sample.B08]; }
