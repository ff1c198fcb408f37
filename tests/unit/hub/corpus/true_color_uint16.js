//VERSION=3
function setup() {
  return {
    input: [{ bands: ["B02", "B03", "B04"], units: "REFLECTANCE" }],
    output: { id: "default", bands: 3, sampleType: SampleType.UINT16 }
  }
}
function evaluatePixel(sample) {
  return [sample.B04 * 65535, sample.B03 * 65535, sample.B02 * 65535]
}
