//VERSION=3
function setup() {
  return {
    input: ["VV", "VH", "dataMask"],
    output: { bands: 2, sampleType: "FLOAT32" }
  }
}

function toDb(linear) {
  return 10 * Math.log(linear) / Math.LN10
}

function evaluatePixel(samples) {
  return [Math.max(-30, toDb(samples.VV)), Math.max(-30, toDb(samples.VH))]
}
