//VERSION=3
function setup() {
  return {
    input: ["DEM"],
    output: { id: "default", bands: 1, sampleType: SampleType.FLOAT32 }
  }
}
function evaluatePixel(sample) {
  return [sample.DEM]
}
