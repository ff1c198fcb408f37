//VERSION=3
// Clouds in red over a grey picture.
function setup() {
  return { input: [{ bands: ["B03", "SCL"] }], output: { bands: 3, sampleType: "AUTO" } }
}
function evaluatePixel(s) {
  const grey = [s.B03, s.B03, s.B03]
  if (s.SCL >= 8 && s.SCL <= 10) return combine(normalizeRGB([255, 51, 0]), grey, 0.6)
  return grey
}
