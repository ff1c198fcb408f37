//VERSION=3
function setup() {
  return { input: [{ bands: ["B04"], units: "DN" }], output: { bands: 1, sampleType: "FLOAT32" } };
}
function evaluatePixel(sample, scenes, inputMetadata, customData, outputMetadata) {
  return [sample.B04 * inputMetadata.normalizationFactor];
}
