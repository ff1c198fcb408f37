//VERSION=3
// As many bands as scenes, and the day of the month of each.
var days = [];
function setup() {
  return { input: ["dataMask"], output: { bands: 1, sampleType: "UINT8" }, mosaicking: "TILE" };
}
function updateOutput(outputs, collection) {
  days = collection.scenes.map((scene) => scene.date.getUTCDate());
  Object.values(outputs).forEach((output) => { output.bands = collection.scenes.length; });
}
function evaluatePixel(samples) {
  return samples.map((sample, i) => sample.dataMask * days[i]);
}
