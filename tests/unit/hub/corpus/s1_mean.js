//VERSION=3
function setup() {
  return {
    input: [{ bands: ["VV", "VH"], units: "LINEAR_POWER" }],
    output: { bands: 2, sampleType: "FLOAT32" },
    mosaicking: Mosaicking.ORBIT
  }
}
function calculateAverage(samples, band) {
  var sum = 0, nValid = 0
  for (let sample of samples) {
    if (sample[band] != 0) {
      nValid++
      sum += sample[band]
    }
  }
  return sum / nValid
}
function evaluatePixel(samples) {
  return [calculateAverage(samples, "VV"), calculateAverage(samples, "VH")]
}
