//VERSION=3
function setup() {
  return {
    input: ["localIncidenceAngle", "shadowMask"],
    output: { bands: 2, sampleType: "UINT16" }
  }
}
function evaluatePixel(s) {
  return [Math.cos(s.localIncidenceAngle * Math.PI / 180) * 10000, s.shadowMask]
}
