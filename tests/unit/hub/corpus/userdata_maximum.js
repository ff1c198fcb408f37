//VERSION=3
// A global carries a number from the pixels to the metadata.
var maxValueB02 = 0
function setup() {
  return { input: ["B02"], mosaicking: "TILE", output: { bands: 1, sampleType: "UINT8" } }
}
function evaluatePixel(samples) {
  for (i = 0; i < samples.length; i++) {
    if (samples[i].B02 > maxValueB02) maxValueB02 = samples[i].B02
  }
  return [samples.length]
}
function updateOutputMetadata(scenes, inputMetadata, outputMetadata) {
  outputMetadata.userData = { "dates": scenes.tiles.map(function (tile) { return tile.date }) }
  outputMetadata.userData.maxValueB02 = maxValueB02
}
