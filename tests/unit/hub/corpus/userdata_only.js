//VERSION=3
// No picture: a histogram of the scene classification.
const histogram = {};
function setup() {
  return { input: ["SCL"], output: { bands: 1 } };
}
function evaluatePixel(sample, scenes, inputMetadata, customData, outputMetadata) {
  histogram[sample.SCL] = (histogram[sample.SCL] || 0) + 1;
  outputMetadata.userData = { histogram };
}
