//VERSION=3
function setup() {
    return {
      input: [{
          bands: ["B02", "B03", "B08"],
          units: ["reflectance", "reflectance", "DN"] // B08 as digital numbers
      }],
      output: [{
          id: "default",
          bands: 2,
          sampleType: "FLOAT32"
      }]
    }
}
function evaluatePixel(sample) {
  return [sample.B02 + sample.B03, sample.B08 * inputMetadataFactor]
}
var inputMetadataFactor = 0.0001
