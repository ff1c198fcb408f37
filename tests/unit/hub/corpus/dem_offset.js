//VERSION=3
function setup() {
  return { input: [{ bands: ["DEM"], units: "METERS" }], output: { bands: 1, sampleType: SampleType.UINT16 } }
}
function evaluatePixel(sample) {
  return [sample.DEM + 12000]
}
